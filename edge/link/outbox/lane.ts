import { newUlid } from '../../../shared/ids/ulid.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { BackOff } from '../../../shared/runtime/back-off.ts';
import { Telling } from '../telling.ts';
import type { Uplink } from '../uplink.ts';
import type { Source } from './source.ts';
import type { Turns } from './turns.ts';

export interface LaneOptions {
  readonly source: Source;
  readonly uplink: Pick<Uplink, 'publish'>;
  readonly turns: Turns;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly backOff: BackOff;
  readonly logger: Logger;
}

interface Batch {
  readonly id: string;
  readonly content: object;
}

/**
 * Tells what one source has, a batch at a time: the next one when the control plane has written down the one before, and the same one
 * again when it does not say so. Whatever holds up one lane, the others go on.
 */
export class Lane extends Telling {
  readonly #options: LaneOptions;
  /** That was not answered. */
  #batch: Batch | undefined;

  constructor(options: LaneOptions) {
    super(options);
    this.#options = options;
  }

  /** Tells what came since; what waits for an answer waits on. */
  look(): void {
    if (this.#batch === undefined && this.#options.source.waiting) this.wake();
  }

  /** The control plane has written down a batch; of this lane, or of another. */
  async kept(id: string): Promise<void> {
    const batch = this.#batch;
    if (batch?.id !== id) return;
    this.#batch = undefined;
    try {
      await this.#options.source.told(batch.content);
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'what was told is told again');
    }
    if (this.#options.source.waiting) this.wake();
  }

  protected async tell(): Promise<boolean> {
    const { source, uplink, turns, now } = this.#options;
    const { org, tenant, channel } = source;
    if (this.#batch === undefined) {
      const content = await source.untold();
      if (content === undefined) return true;
      this.#batch = { id: newUlid(now()), content };
    }
    await turns.take();
    // It may have been answered while this waited for its turn.
    if (this.#batch === undefined) return false;
    const { id, content } = this.#batch;
    try {
      await uplink.publish(channel, Buffer.from(JSON.stringify({ batch: id, org, tenant, ...content })));
      return false;
    } catch (error) {
      // What waits while nobody hears it may have to make room: it is looked at anew.
      this.#batch = undefined;
      throw error;
    }
  }
}
