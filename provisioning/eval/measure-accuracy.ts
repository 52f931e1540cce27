import { type ScoreCounts, scoreOf, stepOf, TOP_STEP } from './score-counts.ts';

/** How a pair is judged with one threshold: who reaches it counts as the same person. */
export interface OperatingPoint {
  readonly threshold: number;
  /** False accept rate: share of the pairs of different people that reach the threshold. */
  readonly far: number;
  /** True accept rate: share of the pairs of one person that reach it. */
  readonly tar: number;
}

/**
 * The point of the smallest threshold whose false accept rate is at most `far` on these pairs, in steps of a millionth; with it the
 * true accept rate is the highest that `far` allows. Rates are those of ISO/IEC 19795-1, over pairs of pictures that gave a face.
 */
export function pointAt(genuine: ScoreCounts, impostor: ScoreCounts, far: number): OperatingPoint {
  let accepted = 0;
  let step = TOP_STEP;
  while (step >= 0 && (accepted + impostor.at(step)) / impostor.total <= far) {
    accepted += impostor.at(step);
    step -= 1;
  }
  return { threshold: scoreOf(step + 1), far: accepted / impostor.total, tar: genuine.shareFrom(step + 1) };
}

/** The point of a threshold that somebody chose. */
export function rateOf(genuine: ScoreCounts, impostor: ScoreCounts, threshold: number): OperatingPoint {
  const step = stepOf(threshold);
  return { threshold, far: impostor.shareFrom(step), tar: genuine.shareFrom(step) };
}

/**
 * Equal error rate (ISO/IEC 19795-1): where as many pairs of different people are accepted as pairs of one person are refused.
 * Between the two thresholds around that place both rates are taken to run straight.
 */
export function equalErrorRate(genuine: ScoreCounts, impostor: ScoreCounts): number {
  let accepted = impostor.total;
  let refused = 0;
  let before = { far: 1, frr: 0 };
  for (let step = 0; step <= TOP_STEP; step++) {
    if (impostor.at(step) === 0 && genuine.at(step) === 0) continue;
    accepted -= impostor.at(step);
    refused += genuine.at(step);
    const far = accepted / impostor.total;
    const frr = refused / genuine.total;
    if (frr >= far) {
      const share = (before.far - before.frr) / (before.far - before.frr + frr - far);
      return before.far + share * (far - before.far);
    }
    before = { far, frr };
  }
  throw new Error('the highest threshold refuses everybody, so the rates have crossed before');
}
