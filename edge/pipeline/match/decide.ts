import type { Ballot, Verdict } from '../frame.ts';

/** A shot's best customer must lead the next one by this much cosine similarity, or the shot names nobody. */
const MARGIN = 0.05;
/** Whoever stays so far below the threshold in good shots is no guest who was seen badly. */
const FAR = 0.15;

/**
 * Who a track shows, by the vote of its shots. A false name is worse than none, so each doubt ends in `unknown`:
 *
 * 1. Each shot votes for the customer whose face comes closest, unless another customer comes almost as close
 *    (within 0.05); then it votes for nobody.
 * 2. A customer needs the votes of more than half of all shots.
 * 3. The mean of the customer's scores in the shots that voted so must reach the threshold.
 *
 * `score` is the mean of rule 3; for `unknown` that of the customer with most votes, or null where no shot voted.
 * `votes` counts the shots that took part.
 *
 * @param shots candidates from one tenant's gallery and one embedding model; a customer may be there with several faces,
 *   and must not fill the whole list of a shot, or nobody else could come close
 * @param threshold lowest cosine similarity that names a person
 */
export function decide(shots: readonly Ballot[], threshold: number): Verdict {
  const ballots = new Map<string, number[]>();
  for (const shot of shots) {
    const vote = voteOf(shot);
    if (vote) ballots.set(vote.customerId, [...(ballots.get(vote.customerId) ?? []), vote.score]);
  }
  let winner: { customerId: string; scores: number[]; score: number } | null = null;
  for (const [customerId, scores] of ballots) {
    // Summed in one order: which shot came first must not decide by the last bit of a sum.
    const score = scores.toSorted((a, b) => a - b).reduce((sum, value) => sum + value, 0) / scores.length;
    const leads = !winner || scores.length > winner.scores.length || (scores.length === winner.scores.length && score > winner.score);
    if (leads) winner = { customerId, scores, score };
  }
  const votes = shots.length;
  if (!winner) return { outcome: 'unknown', customerId: null, score: null, votes };
  const { customerId, scores, score } = winner;
  const agreed = scores.length * 2 > votes && score >= threshold;
  return agreed ? { outcome: 'person', customerId, score, votes } : { outcome: 'unknown', customerId: null, score, votes };
}

/** Whether anybody comes so close in any shot that more shots of the same quality could name him. */
export function comesClose(shots: readonly Ballot[], threshold: number): boolean {
  return shots.some((candidates) => candidates.some(({ score }) => score >= threshold - FAR));
}

function voteOf(candidates: Ballot): { customerId: string; score: number } | null {
  const best = new Map<string, number>();
  for (const { customerId, score } of candidates) best.set(customerId, Math.max(score, best.get(customerId) ?? -1));
  const [first, second] = [...best].sort(([, a], [, b]) => b - a);
  if (!first || (second && first[1] - second[1] < MARGIN)) return null;
  return { customerId: first[0], score: first[1] };
}
