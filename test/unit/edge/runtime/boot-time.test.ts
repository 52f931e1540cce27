import { expect, test } from 'vitest';
import { bootTime } from '../../../../edge/runtime/boot-time.ts';

test('goes on as time does', async () => {
  const before = bootTime();
  await expect.poll(() => bootTime() - before).toBeGreaterThanOrEqual(50);
  expect(Number.isInteger(before)).toBe(true);
  expect(bootTime() - before).toBeLessThan(60_000);
});
