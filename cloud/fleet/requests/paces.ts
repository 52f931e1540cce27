/** How often one may go on asking, and how often at once. */
export interface Pace {
  readonly perSecond: number;
  readonly atOnce: number;
}

/** Holds each box to a pace. What it is refused does not count. */
export class Paces {
  readonly #pace: Pace;
  /** When all that a box has asked would have come at the pace; those that asked last are at the end. */
  readonly #settled = new Map<string, number>();

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** Counts one more. @param now monotonic, milliseconds @returns in how many seconds it may ask; 0: this one counted */
  take(device: string, now: number): number {
    const { perSecond, atOnce } = this.#pace;
    this.#forget(now);
    const settled = Math.max(this.#settled.get(device) ?? 0, now) + 1000 / perSecond;
    const waitMs = settled - now - (atOnce * 1000) / perSecond;
    if (waitMs > 0) return Math.ceil(waitMs / 1000);
    this.#settled.delete(device);
    this.#settled.set(device, settled);
    return 0;
  }

  /** Those that asked longest ago, two for each that asks: it grows no longer than they come. */
  #forget(now: number): void {
    for (const [device, settled] of this.#settled.entries().take(2)) if (settled <= now) this.#settled.delete(device);
  }
}
