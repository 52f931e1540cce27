import type { Logger } from '../../shared/log/create-logger.ts';

/** A part of a process: work starts in `start` and ends in `stop`. */
export interface Part {
  readonly name: string;
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts parts in order and stops them in the reverse order. A part that fails to start stops those before it;
 * a part that fails to stop does not keep the others from stopping.
 */
export class Lifecycle {
  readonly #logger: Logger;
  readonly #started: Part[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @throws what the failing part threw, after the parts before it were stopped */
  async start(parts: readonly Part[], signal: AbortSignal): Promise<void> {
    for (const part of parts) {
      try {
        signal.throwIfAborted();
        this.#started.push(part);
        await part.start(signal);
      } catch (error) {
        await this.stop();
        throw error;
      }
    }
  }

  /** Stops everything that was started. @returns the names of the parts that failed to stop */
  async stop(): Promise<readonly string[]> {
    const failed: string[] = [];
    for (let part = this.#started.pop(); part !== undefined; part = this.#started.pop()) {
      try {
        await part.stop();
      } catch (error) {
        failed.push(part.name);
        this.#logger.error({ err: error, component: part.name }, 'did not stop cleanly');
      }
    }
    return failed;
  }
}
