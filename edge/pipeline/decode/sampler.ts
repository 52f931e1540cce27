/**
 * Picks pictures at a steady rate by their presentation time, so that bursts and gaps of the network change nothing.
 */
export class Sampler {
  readonly #intervalMs: number;
  #next = Number.NEGATIVE_INFINITY;

  constructor(fps: number) {
    this.#intervalMs = 1000 / fps;
  }

  /** Whether the picture at `mediaMs` is taken. A jump of more than ten intervals (or back) starts a new count. */
  take(mediaMs: number): boolean {
    const jumped = Math.abs(mediaMs - this.#next) > 10 * this.#intervalMs;
    if (!jumped && mediaMs < this.#next - 0.5) return false;
    this.#next = (jumped ? mediaMs : this.#next) + this.#intervalMs;
    return true;
  }
}
