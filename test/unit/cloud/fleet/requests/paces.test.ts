import { expect, test } from 'vitest';
import { Paces } from '../../../../../cloud/fleet/requests/paces.ts';

test('each box asks at its own pace, and what it was refused does not count', () => {
  const paces = new Paces({ perSecond: 2, atOnce: 4 });
  const take = (device: string, now: number): number => paces.take(device, now);
  expect(Array.from({ length: 6 }, () => take('one', 1000))).toEqual([0, 0, 0, 0, 1, 1]);
  expect(take('other', 1000)).toBe(0);
  expect(take('one', 1499)).toBe(1);
  expect(take('one', 1500)).toBe(0);
  expect(take('one', 1500)).toBe(1);
  // Later it may ask as it did at first.
  expect(Array.from({ length: 5 }, () => take('one', 60_000))).toEqual([0, 0, 0, 0, 1]);
});
