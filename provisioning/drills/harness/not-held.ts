/** An expectation of a drill that was not met. */
export class NotHeld extends Error {
  override readonly name = 'NotHeld';
}

/** @throws {NotHeld} unless `condition` is true */
export function require(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new NotHeld(otherwise);
}
