import type { Kysely } from 'kysely';
import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { helloSchema } from '../../../shared/fleet/hello.ts';
import type { Reply } from '../../../shared/fleet/reply.ts';
import type { UpChannel } from '../../../shared/fleet/topics.ts';
import { Ulids } from '../../../shared/ids/ulid.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { KmsClient } from '../../kms/client.ts';
import type { Database } from '../../store/database.ts';
import type { Courier } from '../courier.ts';
import type { KnownBox, KnownBoxes } from '../known-boxes.ts';
import { acknowledge } from './acknowledge.ts';
import { Commands } from './commands.ts';
import { Delivery } from './delivery.ts';
import { expireCommands } from './expire-commands.ts';
import { Links } from './links.ts';
import { Receipts } from './receipts.ts';
import { verifyAck } from './verify-ack.ts';

const LOOK_EVERY_MS = 1000;
/** Boxes that are looked at in one go. */
const MOST_DUE = 256;
/** Longest message of a box about commands, in bytes. */
const MOST_BYTES = 64 * 1024;

export interface LedgerOptions {
  readonly db: Kysely<Database>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly boxes: KnownBoxes;
  /** Without one, commands are written down here, and sent by another process. */
  readonly courier?: Courier | undefined;
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

type Handler = (device: string, box: KnownBox, payload: Buffer) => Promise<void>;

/** Commands to boxes, from the order to the box's signed word on it. Any number of processes can share one database. */
export class Ledger {
  readonly commands: Commands;
  readonly receipts: Receipts;
  readonly #options: LedgerOptions;
  readonly #links: Links;
  readonly #delivery: Delivery | undefined;
  readonly #underWay = new Set<Promise<void>>();
  readonly #receiptIds: Ulids;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: LedgerOptions) {
    const { db, boxes, courier, now } = options;
    this.#options = options;
    this.#links = new Links(options);
    this.#receiptIds = new Ulids(now);
    this.#delivery = courier && new Delivery({ ...options, courier, links: this.#links });
    this.commands = new Commands({ db, boxes, now, onWaiting: (device) => this.#wake(device) });
    this.receipts = new Receipts(db);
  }

  start(): void {
    this.#options.courier?.onMessage((device, channel, payload) => this.#while(() => this.#take(device, channel, payload)));
    this.#timer = setInterval(() => this.#later(() => this.look()), LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopped = true;
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  /** Ends what is too late and sends what is due. */
  async look(): Promise<void> {
    const { db, now, logger } = this.#options;
    try {
      for (const device of await expireCommands(db, now())) await this.#links.wake(device);
      const due = this.#delivery ? await this.#links.due(MOST_DUE) : [];
      for (const device of due) await this.#delivery?.deliver(device);
    } catch (error) {
      logger.error({ err: SecureGateError.from(error) }, 'the ledger of commands could not be looked through');
    }
  }

  /** What only the channels of commands carry comes here; the others have takers of their own. */
  readonly #handlers: { readonly [Channel in UpChannel]?: Handler } = {
    hello: async (device, _box, payload) => {
      const hello = helloSchema.parse(JSON.parse(payload.toString()));
      const { session, receipt } = hello;
      if (await this.#links.hello(device, hello)) this.#deliverLater(device);
      const forgotten = receipt !== null && !(await this.receipts.has(device, receipt));
      await this.#reply(device, { kind: 'welcome', session, forgotten });
    },
    acks: async (device, { org, signingKeys }, payload) => {
      const { db, now } = this.#options;
      const token = payload.toString('latin1');
      const claims = await verifyAck(token, device, signingKeys);
      const kept = await acknowledge({ db, links: this.#links, now }, { org, device, token, claims }, this.#receiptIds.next());
      if (kept === undefined) return;
      if (kept.isNew) await this.#wake(device);
      await this.#reply(device, { kind: 'ack-kept', digest: kept.digest, receipt: kept.receipt });
    },
  };

  /** What does not hold is dropped: it would come again for ever otherwise. What cannot be written down comes again. */
  async #take(device: string, channel: UpChannel, payload: Buffer): Promise<void> {
    const handler = this.#handlers[channel];
    if (handler === undefined) return;
    const box = await this.#options.boxes.find(device);
    if (box === undefined || payload.length > MOST_BYTES) return;
    try {
      await handler(device, box, payload);
    } catch (error) {
      if (isUnreadable(error)) this.#options.logger.warn({ err: error, device, channel }, 'a message of a box was dropped');
      else throw error;
    }
  }

  async #wake(device: string): Promise<void> {
    await this.#links.wake(device);
    this.#deliverLater(device);
  }

  #deliverLater(device: string): void {
    const delivery = this.#delivery;
    if (delivery) this.#later(() => delivery.deliver(device));
  }

  /** One that is lost is sent again: the box repeats what was not answered. */
  async #reply(device: string, reply: Reply): Promise<void> {
    try {
      await this.#options.courier?.send(device, 'replies', Buffer.from(JSON.stringify(reply)));
    } catch (error) {
      this.#options.logger.warn({ err: error, device }, 'a box was not answered');
    }
  }

  /** @param work does not reject */
  #later(work: () => Promise<void>): void {
    if (!this.#stopped) void this.#while(work);
  }

  /** Does what a stop waits for. */
  async #while(work: () => Promise<void>): Promise<void> {
    if (this.#stopped) throw new SecureGateError('stopped', 'The ledger does not work any more');
    const done = work();
    this.#underWay.add(done);
    try {
      await done;
    } finally {
      this.#underWay.delete(done);
    }
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof z.ZodError || SecureGateError.from(error).code === 'ack_rejected';
}
