import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { UpChannel } from '../../shared/fleet/topics.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { UnderWay } from '../../shared/runtime/under-way.ts';
import type { Courier } from './courier.ts';
import type { KnownBox, KnownBoxes } from './known-boxes.ts';

/** Longest message of a box, in bytes. */
const MOST_BYTES = 64 * 1024;

/** Takes what a box says on one channel. What it throws for what does not hold has a status below 500, or comes from reading it. */
export type Taker = (device: string, box: KnownBox, payload: Buffer) => Promise<void>;
/** What a part of the control plane wants to hear. */
export type Takers = { readonly [Channel in UpChannel]?: Taker };

export interface ReceptionOptions {
  readonly courier: Pick<Courier, 'onMessage'>;
  readonly boxes: KnownBoxes;
  /** Those of each part; one after the other hears a message. */
  readonly takers: readonly Takers[];
  readonly logger: Logger;
}

/** Hears what known boxes say, and gives it to the parts that it is for. */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #underWay = new UnderWay();

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#options.courier.onMessage((device, channel, payload) => this.#underWay.run(() => this.#take(device, channel, payload)));
  }

  async stop(): Promise<void> {
    await this.#underWay.end();
  }

  /** What does not hold is dropped: it would come again for ever otherwise. What cannot be written down comes again. */
  async #take(device: string, channel: UpChannel, payload: Buffer): Promise<void> {
    const { boxes, takers, logger } = this.#options;
    const own = takers.flatMap((one) => one[channel] ?? []);
    if (own.length === 0 || payload.length > MOST_BYTES) return;
    const box = await boxes.find(device);
    if (box === undefined) return;
    try {
      for (const take of own) await take(device, box, payload);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      logger.warn({ err: error, device, channel }, 'a message of a box was dropped');
    }
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof z.ZodError || SecureGateError.from(error).status < 500;
}
