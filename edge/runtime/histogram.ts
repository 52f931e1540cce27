export interface HistogramValues {
  /** How many were as long as `seconds` or shorter, for each bound; ascending. */
  readonly buckets: readonly { readonly seconds: number; readonly count: number }[];
  /** All of them, also those longer than the last bound. */
  readonly count: number;
  readonly sumSeconds: number;
}

/** From a search of the gallery to a picture that has waited for an overloaded box. */
const BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Durations counted by fixed bounds since the start, so that whoever reads it now and then can tell any time's distribution. */
export class Histogram {
  /** One for each bound and one for what is longer. */
  readonly #counts: number[] = new Array<number>(BOUNDS_SECONDS.length + 1).fill(0);
  #count = 0;
  #sumMs = 0;

  record(milliseconds: number): void {
    const seconds = milliseconds / 1000;
    let bucket = 0;
    while (seconds > (BOUNDS_SECONDS[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#sumMs += milliseconds;
  }

  values(): HistogramValues {
    let count = 0;
    const buckets = BOUNDS_SECONDS.map((seconds, bucket) => {
      count += this.#counts[bucket] ?? 0;
      return { seconds, count };
    });
    return { buckets, count: this.#count, sumSeconds: this.#sumMs / 1000 };
  }
}
