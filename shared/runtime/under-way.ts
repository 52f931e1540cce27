import { SecureGateError } from '../errors/securegate-error.ts';

/** Work that has begun and that a stop waits for. */
export class UnderWay {
  readonly #begun = new Set<Promise<unknown>>();
  #ended = false;

  /** @throws {SecureGateError} `stopped`: nothing begins any more */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#ended) throw new SecureGateError('stopped', 'This does not work any more');
    const done = work();
    this.#begun.add(done);
    try {
      return await done;
    } finally {
      this.#begun.delete(done);
    }
  }

  /** Begins what nobody waits for, unless nothing begins any more. @param work does not reject */
  begin(work: () => Promise<void>): void {
    if (!this.#ended) void this.run(work);
  }

  /** Resolves when everything that has begun is done, well or not. */
  async end(): Promise<void> {
    this.#ended = true;
    while (this.#begun.size > 0) await Promise.allSettled(this.#begun);
  }
}
