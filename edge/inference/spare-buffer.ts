/**
 * A buffer that is used again for the next input of the same length: a new one for each picture would be cleared, paged in and
 * collected, which takes as long as filling it. Whoever asks while it is in use gets one of its own.
 */
export class SpareBuffer {
  #spare: Float32Array | undefined;

  /** Holds zeros. */
  take(length: number): Float32Array {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare?.length === length ? spare : new Float32Array(length);
  }

  /** Overwrites it: of a picture nothing stays. */
  giveBack(buffer: Float32Array): void {
    buffer.fill(0);
    this.#spare = buffer;
  }
}
