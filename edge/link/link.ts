import type { Hello } from '../../shared/fleet/hello.ts';
import { type Reply, replySchema } from '../../shared/fleet/reply.ts';
import type { DownChannel } from '../../shared/fleet/topics.ts';
import type { PublicKey } from '../../shared/lease/public-key.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { BackOff } from '../../shared/runtime/back-off.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { Acks, type SignToken } from './commands/acks.ts';
import type { CommandJournal } from './commands/command-journal.ts';
import { CommandRouter } from './commands/command-router.ts';
import type { Executors } from './commands/executors.ts';
import { Greeting } from './greeting.ts';
import type { LinkPart } from './link-part.ts';
import type { Uplink } from './uplink.ts';

export interface LinkOptions {
  readonly device: string;
  readonly uplink: Uplink;
  /** By which the control plane signs commands now; they change with the certificate. */
  readonly commandKeys: () => readonly PublicKey[];
  readonly journal: CommandJournal;
  readonly executors: Executors;
  readonly sign: SignToken;
  /** That by which it signs. */
  readonly key: PublicKey;
  /** The tenants' keys that this box holds. */
  readonly keys: () => Promise<Hello['keys']>;
  /** The box's trusted time, milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** How long to wait for an answer before it is said again. */
  readonly waits: () => BackOff;
  /** Who else speaks over this link. */
  readonly parts: readonly LinkPart[];
  readonly logger: Logger;
}

/** What the box and the control plane say to each other, on the box's side. */
export class Link implements Part {
  readonly name = 'link';
  readonly #options: LinkOptions;
  readonly #greeting: Greeting;
  readonly #acks: Acks;
  readonly #commands: CommandRouter;
  readonly #parts: readonly LinkPart[];

  constructor(options: LinkOptions) {
    this.#options = options;
    const { device, commandKeys, journal, executors, now, waits, logger } = options;
    this.#greeting = new Greeting({ ...options, backOff: waits() });
    this.#acks = new Acks({ ...options, backOff: waits() });
    const sayHello = (): void => this.sayHello();
    this.#commands = new CommandRouter({ device, commandKeys, journal, acks: this.#acks, executors, sayHello, now, logger });
    this.#parts = [this.#ownPart(), ...options.parts];
  }

  async start(): Promise<void> {
    const { uplink } = this.#options;
    uplink.onMessage((channel, payload) => this.#takers[channel](payload));
    uplink.onConnect(async () => {
      for (const part of this.#parts) part.onConnect?.();
    });
    this.#commands.start();
    this.#greeting.start();
    this.#acks.start();
    for (const part of this.#options.parts) part.start?.();
  }

  async stop(): Promise<void> {
    this.#commands.stop();
    await Promise.all([this.#greeting.stop(), this.#acks.stop(), ...this.#options.parts.map((part) => part.stop?.())]);
  }

  /** Tells the control plane how far this box is, and what it holds. */
  sayHello(): void {
    this.#greeting.sayHello();
  }

  #ownPart(): LinkPart {
    return {
      onConnect: () => {
        this.sayHello();
        this.#acks.wake();
      },
      onCommand: (payload) => this.#commands.take(payload),
      onReply: {
        'ack-kept': ({ digest, receipt }) => this.#acks.kept(digest, receipt),
        welcome: ({ session, forgotten }) => {
          this.#greeting.welcomed(session);
          if (forgotten) this.#acks.tellAgain();
        },
      },
    };
  }

  readonly #takers: { readonly [Channel in DownChannel]: (payload: Buffer) => Promise<void> } = {
    commands: async (payload) => {
      for (const part of this.#parts) await part.onCommand?.(payload);
    },
    replies: async (payload) => {
      const reply = replySchema.safeParse(jsonOf(payload)).data;
      if (reply === undefined) return this.#options.logger.warn('a reply of the control plane was not understood');
      for (const { onReply = {} } of this.#parts) (onReply[reply.kind] as ((reply: Reply) => void) | undefined)?.(reply);
    },
    desired: async (payload) => {
      for (const part of this.#parts) await part.onDesired?.(payload);
    },
  };
}

function jsonOf(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}
