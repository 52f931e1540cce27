/** An expectation of a drill that was not met. */
export class NotHeld extends Error {
  override readonly name: string = 'NotHeld';
}

/** One that was not met while other programs took so much of the machine that it says nothing about the box. */
export class Disturbed extends NotHeld {
  override readonly name = 'Disturbed';
}

/** @throws {NotHeld} unless `condition` is true */
export function require(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new NotHeld(otherwise);
}
