/**
 * Waiting times between tries: exponential with equal jitter, so that many parts that failed together do not come back together.
 * Source: "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
 */
export class BackOff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #random: () => number;
  #tries = 0;

  constructor(firstMs: number, longestMs: number, random: () => number = Math.random) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#random = random;
  }

  /** Milliseconds to wait before the next try; never less than half of the step's length. */
  next(): number {
    const step = Math.min(this.#firstMs * 2 ** this.#tries, this.#longestMs);
    this.#tries += 1;
    return step / 2 + (this.#random() * step) / 2;
  }

  /**
   * To be called when a try has worked for a while.
   * @param tries those that failed already, where somebody else made them
   */
  reset(tries = 0): void {
    this.#tries = tries;
  }
}
