import { expect, test } from 'vitest';
import { BackOff } from '../../../../shared/runtime/back-off.ts';

test('pauses double up to the longest, with at most half of each left to chance', () => {
  const least = new BackOff(100, 1000, () => 0);
  const most = new BackOff(100, 1000, () => 1);
  expect([1, 2, 3, 4, 5, 6].map(() => least.next())).toEqual([50, 100, 200, 400, 500, 500]);
  expect([1, 2, 3, 4, 5, 6].map(() => most.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
  least.reset();
  expect(least.next()).toBe(50);
});
