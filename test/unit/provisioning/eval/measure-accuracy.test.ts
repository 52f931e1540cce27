import fc from 'fast-check';
import { expect, test } from 'vitest';
import { equalErrorRate, pointAt, rateOf } from '../../../../provisioning/eval/measure-accuracy.ts';
import { ScoreCounts } from '../../../../provisioning/eval/score-counts.ts';

function counts(scores: readonly number[]): ScoreCounts {
  const counted = new ScoreCounts();
  for (const score of scores) counted.add(score);
  return counted;
}

const score = fc.integer({ min: -1000, max: 1000 }).map((thousandths) => thousandths / 1000);
const scores = fc.array(score, { minLength: 1, maxLength: 60 });
/** Each property counts millions of steps, so a few dozen cases have to do. */
const RUNS = { numRuns: 40 };

test('three pairs of each kind, worked out by hand', () => {
  const genuine = counts([0.9, 0.8, 0.3]);
  const impostor = counts([0.5, 0.2, 0.1]);
  // One of three is wrong on either side for every threshold above 0.3 up to 0.5.
  expect(equalErrorRate(genuine, impostor)).toBeCloseTo(1 / 3, 9);
  // No pair of different people may be accepted: the threshold lies a step above the highest of them.
  expect(pointAt(genuine, impostor, 0.01)).toEqual({ threshold: 0.500001, far: 0, tar: 2 / 3 });
  // One of three may.
  expect(pointAt(genuine, impostor, 1 / 3)).toEqual({ threshold: 0.200001, far: 1 / 3, tar: 1 });
  expect(pointAt(genuine, impostor, 0.33)).toMatchObject({ threshold: 0.500001 });
});

test('between two thresholds the rates run straight', () => {
  // False accepts and refusals: 1/2 and 0 above 0.1, then 0 and 1/4 above 0.5: they meet at 1/6.
  expect(equalErrorRate(counts([0.5, 0.6, 0.7, 0.8]), counts([0.1, 0.5]))).toBeCloseTo(1 / 6, 9);
});

test('kinds that lie apart are told apart without an error, the same scores not at all', () => {
  expect(equalErrorRate(counts([0.6, 0.7]), counts([0.1, 0.2]))).toBe(0);
  expect(pointAt(counts([0.6, 0.7]), counts([0.1, 0.2]), 1e-3)).toEqual({ threshold: 0.200001, far: 0, tar: 1 });
  expect(equalErrorRate(counts([0.4]), counts([0.4]))).toBe(0.5);
  expect(equalErrorRate(counts([0.1]), counts([0.9]))).toBe(1);
  // Whoever is as like as one can be is accepted by no threshold but one out of reach.
  expect(pointAt(counts([1]), counts([1]), 1e-3)).toMatchObject({ far: 0, tar: 0 });
});

test('of 1000 pairs of different people 1 in 1000 may pass, of 999 none', () => {
  const impostors = Array.from({ length: 999 }, (_, index) => index / 2000);
  const genuine = counts([0.4985, 0.6]);
  expect(pointAt(genuine, counts(impostors), 1e-3)).toMatchObject({ threshold: 0.499001, far: 0, tar: 0.5 });
  expect(pointAt(genuine, counts([...impostors, 0.4995]), 1e-3)).toMatchObject({ threshold: 0.499001, far: 1e-3 });
});

test('the threshold is the smallest that keeps the rate: a step lower lets too many in', () => {
  fc.assert(
    fc.property(scores, scores, fc.double({ min: 0, max: 0.99, noNaN: true }), (genuine, impostor, far) => {
      const [g, i] = [counts(genuine), counts(impostor)];
      const point = pointAt(g, i, far);
      expect(impostor.filter((value) => value >= point.threshold).length / impostor.length).toBe(point.far);
      expect(genuine.filter((value) => value >= point.threshold).length / genuine.length).toBe(point.tar);
      expect(point.far).toBeLessThanOrEqual(far);
      expect(rateOf(g, i, point.threshold - 1e-6).far).toBeGreaterThan(far);
    }),
    RUNS,
  );
});

test('more false accepts never mean fewer true ones', () => {
  fc.assert(
    fc.property(scores, scores, (genuine, impostor) => {
      const [g, i] = [counts(genuine), counts(impostor)];
      const curve = [0, 1e-3, 1e-2, 0.1, 0.5, 0.9].map((far) => pointAt(g, i, far));
      for (const [index, point] of curve.slice(1).entries()) {
        expect(point.far).toBeGreaterThanOrEqual(curve[index]?.far ?? 1);
        expect(point.tar).toBeGreaterThanOrEqual(curve[index]?.tar ?? 1);
      }
    }),
    RUNS,
  );
});

test('neither the order of the pairs, nor all of them twice, nor a shift of all scores changes the error rates', () => {
  const inner = fc.array(
    score.filter((value) => Math.abs(value) <= 0.8),
    { minLength: 1, maxLength: 60 },
  );
  fc.assert(
    fc.property(inner, inner, fc.integer({ min: -100, max: 100 }), (genuine, impostor, shift) => {
      const eer = equalErrorRate(counts(genuine), counts(impostor));
      const moved = (values: readonly number[]): ScoreCounts => counts(values.toReversed().map((value) => value + shift / 1000));
      expect(eer).toBeGreaterThanOrEqual(0);
      expect(eer).toBeLessThanOrEqual(1);
      expect(equalErrorRate(moved(genuine), moved(impostor))).toBe(eer);
      expect(equalErrorRate(counts([...genuine, ...genuine]), counts([...impostor, ...impostor]))).toBeCloseTo(eer, 12);
    }),
    RUNS,
  );
});
