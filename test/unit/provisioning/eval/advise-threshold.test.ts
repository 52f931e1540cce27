import { expect, test } from 'vitest';
import { adviseThreshold } from '../../../../provisioning/eval/advise-threshold.ts';
import { pointAt } from '../../../../provisioning/eval/measure-accuracy.ts';
import { ScoreCounts } from '../../../../provisioning/eval/score-counts.ts';

const OWN = 0.45;

/** The advice where the pairs have these scores. */
function advise(genuineScores: readonly number[], impostorScores: readonly number[]): string {
  const [genuine, impostor] = [new ScoreCounts(), new ScoreCounts()];
  for (const score of genuineScores) genuine.add(score);
  for (const score of impostorScores) impostor.add(score);
  const points = { '1e-2': pointAt(genuine, impostor, 1e-2), '1e-3': pointAt(genuine, impostor, 1e-3) };
  return adviseThreshold({ pairs: { genuine, impostor, copies: 0, suspicious: { genuine: [], impostor: [] } }, points }, OWN).join('\n');
}

/** So many pairs, evenly from 0 to `highest`. */
const spread = (pairs: number, highest: number): number[] => Array.from({ length: pairs }, (_, index) => (index / (pairs - 1)) * highest);

test('where everybody lies below it the model keeps its own threshold, with the most that can be promised', () => {
  const advice = advise([0.4, 0.6, 0.7, 0.8], spread(3000, 0.3));
  expect(advice).toContain("Take matchThreshold 0.45 for your tenant, the model's own. Here 75.0 % of the pairs of one person reach it");
  expect(advice).toContain('no pair of different people; the true rate is below 1 in 1000 (95 % confidence, rule of three)');
  expect(advice).toContain('These pictures alone would allow 0.30');
  expect(advice).not.toContain('too few');
});

test('where different people come closer it is raised, to a hundredth and never rounded down', () => {
  const advice = advise([0.6, 0.7], spread(4000, 0.5012));
  // Four of 4000 may pass: the fifth highest lies at 0.5007.
  expect(advice).toContain('Take matchThreshold 0.51 for your tenant. Here 100.0 % of the pairs of one person reach it, and no pair');
  expect(advise([0.6, 0.7], [...spread(3999, 0.3), 0.59])).toContain('and 1 of 4000 pairs of different people.');
});

test('with fewer than 3000 pairs of different people it is called a guess, with how many people it takes', () => {
  const advice = advise([0.6], spread(2999, 0.3));
  expect(advice).toContain(
    '2999 pairs of different people are too few to tell 1 in 1000: that takes 3000, for example 78 people with one picture each.',
  );
  expect((78 * 77) / 2).toBeGreaterThanOrEqual(3000);
  expect((77 * 76) / 2).toBeLessThan(3000);
});
