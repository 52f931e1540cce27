/** Scores are counted in steps of a millionth: finer than two pictures ever differ, and the memory stays the same for any number of pairs. */
const STEPS_PER_UNIT = 1_000_000;
/** The step of a cosine similarity of 1, the highest there is; -1 is step 0. */
export const TOP_STEP = 2 * STEPS_PER_UNIT;

/** The similarity that a step stands for. */
export function scoreOf(step: number): number {
  return (step - STEPS_PER_UNIT) / STEPS_PER_UNIT;
}

/** The step of a similarity; rounding may have brought it a little over 1. */
export function stepOf(score: number): number {
  return Math.min(TOP_STEP, Math.max(0, Math.round((score + 1) * STEPS_PER_UNIT)));
}

/** How many pairs have which cosine similarity. */
export class ScoreCounts {
  readonly #counts = new Uint32Array(TOP_STEP + 1);
  #total = 0;

  add(score: number): void {
    const step = stepOf(score);
    this.#counts[step] = (this.#counts[step] as number) + 1;
    this.#total += 1;
  }

  get total(): number {
    return this.#total;
  }

  at(step: number): number {
    return this.#counts[step] ?? 0;
  }

  /** Share of the pairs at this step or above it. */
  shareFrom(step: number): number {
    let count = 0;
    for (let at = step; at <= TOP_STEP; at++) count += this.#counts[at] as number;
    return count / this.#total;
  }
}
