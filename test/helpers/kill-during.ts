import { expect } from 'vitest';
import type { TestKms } from './kms.ts';

/**
 * Has work done again and again, once at least, kills the KMS (SIGKILL) in the midst of it, and starts it again.
 * @param work one piece; it fails when the KMS is killed
 * @param at which part of a piece is done when the kill comes, 0 to 1, as far as the time tells
 */
export async function killDuring(kms: TestKms, work: () => Promise<unknown>, at: number): Promise<void> {
  let done = 0;
  let took = 0;
  const working = (async () => {
    for (;;) {
      const startedAt = performance.now();
      await work();
      took = performance.now() - startedAt;
      done += 1;
    }
  })();
  const ended = expect(working).rejects.toMatchObject({ code: 'kms_unavailable' });
  await expect.poll(() => done, { interval: 1, timeout: 20_000 }).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, took * at));
  await kms.stop('SIGKILL');
  await ended;
  await kms.start();
}
