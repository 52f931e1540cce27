const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 300_000;

/**
 * When a box is looked at again that has just been looked at.
 * @param tries since it was last woken
 * @param random 0 to 1: boxes that were woken together are not looked at together
 */
export function nextTry(tries: number, now: number, random: () => number): number {
  const step = Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS);
  return Math.ceil(now + step / 2 + (random() * step) / 2);
}
