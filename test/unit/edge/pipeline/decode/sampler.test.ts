import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Sampler } from '../../../../../edge/pipeline/decode/sampler.ts';

const taken = (fps: number, times: readonly number[]): number[] => {
  const sampler = new Sampler(fps);
  return times.filter((time) => sampler.take(time));
};

test('25 pictures a second become 5, evenly', () => {
  const times = Array.from({ length: 50 }, (_, index) => index * 40);
  expect(taken(5, times)).toEqual([0, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800]);
});

test('a rate that does not divide the source keeps its average', () => {
  const times = Array.from({ length: 300 }, (_, index) => (index * 1000) / 30);
  expect(taken(7, times).length).toBe(70);
});

test('a jump forward or back starts a new count at once', () => {
  expect(taken(5, [0, 40, 200, 90_000, 90_040, 90_200, 0, 40, 200])).toEqual([0, 200, 90_000, 90_200, 0, 200]);
});

test('never more than the wanted rate, whatever jitter the times have', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 50, maxLength: 400 }), (steps) => {
      let time = 0;
      const times = steps.map((step) => {
        time += step;
        return time;
      });
      const count = taken(5, times).length;
      expect(count).toBeLessThanOrEqual(Math.floor((time - (times[0] ?? 0)) / 200) + 1);
    }),
  );
});
