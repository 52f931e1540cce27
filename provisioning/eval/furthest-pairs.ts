export interface NamedPair {
  /** Names of the two pictures. */
  readonly pictures: readonly [string, string];
  /** Cosine similarity. */
  readonly score: number;
}

/** Enough to find pictures in the wrong folder by: one of them is in many pairs. */
const MOST_KEPT = 20;

/** The pairs of a kind that lie furthest out, furthest first; the others are forgotten. */
export class FurthestPairs {
  readonly #sign: number;
  readonly #kept: NamedPair[] = [];

  /** @param towards 1: the pairs that are most alike; -1: those that are least */
  constructor(towards: 1 | -1) {
    this.#sign = towards;
  }

  add(score: number, first: string, second: string): void {
    const last = this.#kept.at(-1);
    if (this.#kept.length === MOST_KEPT && last !== undefined && this.#outness(score) <= this.#outness(last.score)) return;
    const place = this.#kept.findIndex((pair) => this.#outness(pair.score) < this.#outness(score));
    this.#kept.splice(place === -1 ? this.#kept.length : place, 0, { pictures: [first, second], score });
    this.#kept.length = Math.min(this.#kept.length, MOST_KEPT);
  }

  get list(): readonly NamedPair[] {
    return this.#kept;
  }

  #outness(score: number): number {
    return this.#sign * score;
  }
}
