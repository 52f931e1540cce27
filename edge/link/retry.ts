import type { Logger } from '../../shared/log/create-logger.ts';
import type { BackOff } from '../../shared/runtime/back-off.ts';
import { pause } from '../runtime/pause.ts';

/** It is looked whether there is something to do this often, although nobody says so. */
const LOOK_EVERY_MS = 300_000;

export interface RetryOptions {
  /** @returns whether there is nothing left to do */
  readonly work: () => Promise<boolean>;
  readonly backOff: BackOff;
  readonly logger: Logger;
}

/** Does something again and again, with growing pauses, until there is nothing left to do; and anew when it is woken. */
export class Retry {
  readonly #options: RetryOptions;
  #stopping = new AbortController();
  #woken = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: RetryOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopping = new AbortController();
    this.#running = this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** There is something to do, or it can be done now. */
  wake(): void {
    this.#options.backOff.reset();
    this.#woken.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { work, backOff, logger } = this.#options;
    while (!signal.aborted) {
      this.#woken = new AbortController();
      let done = false;
      try {
        done = await work();
      } catch (error) {
        logger.debug({ err: error }, 'the control plane was not told; it is tried again');
      }
      await pause(done ? LOOK_EVERY_MS : backOff.next(), AbortSignal.any([signal, this.#woken.signal]));
    }
  }
}
