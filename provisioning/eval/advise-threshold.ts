import type { EvaluationResult } from './evaluate.ts';
import { rateOf } from './measure-accuracy.ts';

/** Pairs of which none goes wrong before a rate of 1 in so many can be told with 95 % confidence, as multiples of it: the rule of three. */
const RULE_OF_THREE = 3;
/** False accept rate that a tenant's threshold should keep, for a single comparison. */
const WANTED = '1e-3';
const WANTED_ONE_IN = 1000;

/**
 * Which threshold a tenant should take, in plain words, and how much these pictures can say about it (ISO/IEC 19795-1, annex on
 * test size and uncertainty).
 * @param ownThreshold of the embedding model, which holds where nobody measured; the advice is never lower
 */
export function adviseThreshold(
  { pairs: { genuine, impostor }, points }: Pick<EvaluationResult, 'pairs' | 'points'>,
  ownThreshold: number,
): string[] {
  // Rounded up: rounded down it would let in what it is to keep out.
  const threshold = Math.max(ownThreshold, Math.ceil(points[WANTED].threshold * 100) / 100);
  const { far, tar } = rateOf(genuine, impostor, threshold);
  const wrong = Math.round(far * impostor.total);
  const enough = RULE_OF_THREE * WANTED_ONE_IN;
  return [
    `Take matchThreshold ${threshold.toFixed(2)} for your tenant${threshold === ownThreshold ? ", the model's own" : ''}. Here ${percent(tar)} of the pairs of one person reach it, ` +
      (wrong > 0
        ? `and ${wrong} of ${impostor.total} pairs of different people.`
        : `and no pair of different people; the true rate is below 1 in ${Math.floor(impostor.total / RULE_OF_THREE)} (95 % confidence, rule of three).`),
    ...(impostor.total < enough
      ? [
          `${impostor.total} pairs of different people are too few to tell 1 in ${WANTED_ONE_IN}: that takes ${enough}, for example ` +
            `${peopleFor(enough)} people with one picture each. Until then this is a guess.`,
        ]
      : []),
    ...(threshold > points[WANTED].threshold + 0.01
      ? [
          `These pictures alone would allow ${points[WANTED].threshold.toFixed(2)}. Go below the model's own only on pictures of your own ` +
            'cameras, and many of them.',
        ]
      : []),
    'A face on camera is compared with every guest who is enrolled: with 1000 guests a stranger has 1000 chances to be taken for one.',
    'Pairs share pictures and people, so the real rates can lie further off than their number suggests.',
  ];
}

/** How many people make so many pairs of two. */
function peopleFor(pairs: number): number {
  return Math.ceil((1 + Math.sqrt(1 + 8 * pairs)) / 2);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
