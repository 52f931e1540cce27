import { expect, test } from 'vitest';
import { Pace } from '../../../../cloud/broker/pace.ts';

test('what comes at once passes, the rest waits its turn, and a rest is made good', () => {
  const pace = new Pace({ perSecond: 10, atOnce: 3 });
  expect([1, 2, 3].map(() => pace.wait(5000))).toEqual([0, 0, 0]);
  expect([1, 2].map(() => pace.wait(5000))).toEqual([100, 200]);
  expect(pace.wait(5200)).toBe(100);
  expect([1, 2, 3, 4].map(() => pace.wait(60_000))).toEqual([0, 0, 0, 100]);
});
