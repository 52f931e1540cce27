import { collectGarbage } from './collect-garbage.ts';

/**
 * Sees to it that copies of keys which nobody holds any more are overwritten before long. Node's crypto copies every key that it is
 * given, and nobody can overwrite these copies from here. They are overwritten when they are freed, and freed when they are collected,
 * which on a quiet box may be hours later.
 */
export class DeadMemory {
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;

  /** @param milliseconds after which everything that is dead by now is gone, at the latest */
  clearWithin(milliseconds: number): void {
    const dueAt = performance.now() + milliseconds;
    if (dueAt >= this.#dueAt) return;
    this.#dueAt = dueAt;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#dueAt = Number.POSITIVE_INFINITY;
      collectGarbage();
    }, milliseconds);
    this.#timer.unref();
  }
}
