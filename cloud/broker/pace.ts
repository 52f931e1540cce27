/** How fast one peer may go on for long, and how much of it at once. */
export interface Rate {
  readonly perSecond: number;
  readonly atOnce: number;
}

/** Holds a peer to a rate by letting it wait: whoever is only in a hurry loses nothing. */
export class Pace {
  readonly #rate: Rate;
  /** When all that came would have come at the rate. */
  #settled = 0;

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Counts one more. @returns for how many milliseconds it has to wait */
  wait(now: number): number {
    const { perSecond, atOnce } = this.#rate;
    this.#settled = Math.max(this.#settled, now) + 1000 / perSecond;
    return Math.max(0, this.#settled - now - (atOnce * 1000) / perSecond);
  }
}
