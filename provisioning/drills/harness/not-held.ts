/** An expectation of a drill that was not met. */
export class NotHeld extends Error {
  override readonly name: string = 'NotHeld';
}

/** One of how soon, or of how many frames: it says nothing about the box where other programs keep the machine busy. */
export class TooSlow extends NotHeld {
  override readonly name = 'TooSlow';
}

/** What was not met; of what went wrong otherwise, also where. */
export function wordsFor(error: unknown): string {
  if (error instanceof NotHeld) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** @throws {NotHeld} unless `condition` is true */
export function requireThat(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new NotHeld(otherwise);
}
