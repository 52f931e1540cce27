import { expect, test } from 'vitest';
import { Histogram } from '../../../../edge/runtime/histogram.ts';

test('counts a duration in every bucket that it fits into, bounds included', () => {
  const histogram = new Histogram();
  for (const ms of [0, 5, 5.1, 60_000]) histogram.record(ms);
  const { buckets, count, sumSeconds } = histogram.values();
  const upTo = (wanted: number): number | undefined => buckets.find(({ seconds }) => seconds === wanted)?.count;
  expect([upTo(0.001), upTo(0.0025), upTo(0.005), upTo(0.01), upTo(5)]).toEqual([1, 1, 2, 3, 3]);
  expect(count).toBe(4);
  expect(sumSeconds).toBeCloseTo(60.0101);
  expect(buckets.map(({ seconds }) => seconds)).toEqual(buckets.map(({ seconds }) => seconds).toSorted((a, b) => a - b));
});

test('holds nothing at first', () => {
  const { buckets, count, sumSeconds } = new Histogram().values();
  expect([count, sumSeconds, buckets.every((bucket) => bucket.count === 0)]).toEqual([0, 0, true]);
});
