import type { FaceQuality, FivePoints, RejectionReason } from '../frame.ts';
import { misfit } from './misfit.ts';
import type { QualityLimits } from './quality-limits.ts';

/** Distance from the template above which five points are no face, whichever way it looks; see `misfit`. */
const MAX_MISFIT = 0.45;

/**
 * Every reason why a face is not good enough, in the order of REJECTION_REASONS; empty when it is.
 * Without believable points the pose means nothing, so it gives no reason of its own then.
 *
 * @param points null where none were found
 */
export function rejectionsOf(quality: FaceQuality, points: FivePoints | null, limits: QualityLimits): RejectionReason[] {
  const reasons: RejectionReason[] = [];
  const believable = points !== null && misfit(points) <= MAX_MISFIT;
  // Each limit is written so that a value that is no number fails it.
  if (!(quality.sizePx >= limits.minSizePx)) reasons.push('too_small');
  if (!(quality.sharpness >= limits.minSharpness)) reasons.push('blurred');
  if (believable && !(Math.abs(quality.yaw) <= limits.maxYaw)) reasons.push('yaw');
  if (believable && !(Math.abs(quality.pitch) <= limits.maxPitch)) reasons.push('pitch');
  if (believable && !(Math.abs(quality.roll) <= limits.maxRoll)) reasons.push('roll');
  if (!(quality.cutOff <= limits.maxCutOff)) reasons.push('cut_off');
  if (!believable) reasons.push('no_landmarks');
  return reasons;
}
