import { SecureGateError } from '../errors/securegate-error.ts';
import type { Logger } from '../log/create-logger.ts';

/** What a process has begun, each part with how it ends. */
export class RunningParts {
  readonly #logger: Logger;
  readonly #ends: (() => Promise<void> | void)[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Does the work that begins the parts; where it fails, those that run are ended again. */
  async begin(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  /** Starts a part; from then on it is ended with the others. */
  async start(part: { start(): unknown; stop(): unknown }): Promise<void> {
    await part.start();
    this.add(async () => void (await part.stop()));
  }

  /** @param end of a part that runs now */
  add(end: () => Promise<void> | void): void {
    this.#ends.push(end);
  }

  /** Ends all parts, the last begun first; one that fails does not keep the others. @returns whether all ended cleanly */
  async end(): Promise<boolean> {
    let clean = true;
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) {
      try {
        await end();
      } catch (error) {
        clean = false;
        this.#logger.error({ err: SecureGateError.from(error) }, 'a part did not stop cleanly');
      }
    }
    return clean;
  }
}
