/** Share of the time between two samples in which the reader waits for the second one: who comes early by that much is rarely late. */
const RESERVE = 0.125;
/** What comes meanwhile lies in the socket, and a camera that is told to stop has to be heard soon. */
const LONGEST_MS = 400;

/**
 * How long a camera is left unread after a sample. Pictures that nobody looks at need not be decoded one by one as they come: in a
 * row, shortly before the next sample, five cost the processor a fifth less, since what the decoder works with is still in its caches.
 * The rest follows what is left of the time, so that a box that is behind takes none.
 */
export class ReadingRest {
  readonly #reserveMs: number;
  readonly #longestMs: number;
  #ms = 0;

  constructor(fps: number) {
    const intervalMs = 1000 / fps;
    this.#reserveMs = RESERVE * intervalMs;
    this.#longestMs = Math.min(LONGEST_MS, intervalMs - this.#reserveMs);
  }

  /** @param waitedMs for packets, since the sample before this one */
  afterSample(waitedMs: number): number {
    const spareMs = waitedMs - this.#reserveMs;
    // Half of what is spare: one packet that was late says little of the next. What is lacking weighs more.
    const ms = spareMs > 0 ? this.#ms + spareMs / 2 : (this.#ms * waitedMs) / this.#reserveMs;
    this.#ms = Math.min(this.#longestMs, ms);
    return this.#ms;
  }
}
