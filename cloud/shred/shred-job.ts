import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { JobLeases } from '../store/job-leases.ts';

const LOOK_EVERY_MS = 1000;

/** What looks for something to do. */
export interface Looker {
  waits(): Promise<boolean>;
  look(stop: AbortSignal): Promise<void>;
}

export interface ShredJobOptions {
  readonly lookers: readonly Looker[];
  readonly leases: JobLeases;
  readonly logger: Logger;
}

/** Looks for shreds and erasures that can go on, every second and when somebody decided something; one process of all at a time. */
export class ShredJob {
  readonly #options: ShredJobOptions;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(options: ShredJobOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.wake(), LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#running;
  }

  /** There is something to do. */
  wake(): void {
    if (this.#stopping.signal.aborted) return;
    this.#again = true;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    const { lookers, leases, logger } = this.#options;
    while (this.#again) {
      this.#again = false;
      try {
        const waiting: Looker[] = [];
        for (const looker of lookers) if (await looker.waits()) waiting.push(looker);
        if (waiting.length === 0) continue;
        await leases.run('shreds', async (lost) => {
          const stop = AbortSignal.any([lost, this.#stopping.signal]);
          for (const looker of waiting) await looker.look(stop);
        });
      } catch (error) {
        logger.error({ err: SecureGateError.from(error) }, 'shreds and erasures could not be looked through');
      }
    }
    // In one step with the look above: whoever wakes it later begins anew.
    this.#running = undefined;
  }
}
