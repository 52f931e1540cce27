import { setTimeout as pause } from 'node:timers/promises';
import { TooSlow } from './not-held.ts';

const LOOK_EVERY_MS = 50;

/**
 * Looks again and again until there is something.
 * @returns it, and how long it took
 * @throws {TooSlow} after `limitMs`
 */
export async function within<Result>(
  limitMs: number,
  what: string,
  look: () => Promise<Result | undefined> | Result | undefined,
  everyMs = LOOK_EVERY_MS,
): Promise<{ result: Result; ms: number }> {
  const started = performance.now();
  for (;;) {
    const result = await look();
    const ms = performance.now() - started;
    if (result !== undefined && ms <= limitMs) return { result, ms };
    if (ms > limitMs) throw new TooSlow(`${what}: not within ${limitMs / 1000} s`);
    await pause(everyMs);
  }
}
