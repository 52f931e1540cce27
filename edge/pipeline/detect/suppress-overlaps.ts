import { type Box, type Detection, iou } from '../frame.ts';

/**
 * Greedy non-maximum suppression: the best score stays, everything that overlaps it by more than `limit` goes.
 *
 * @param overlap how much two boxes are the same thing, 0..1; intersection over union unless told
 * @returns what stays, best score first; equal scores keep their order
 */
export function suppressOverlaps(
  detections: readonly Detection[],
  limit: number,
  overlap: (kept: Box, other: Box) => number = iou,
): Detection[] {
  const ordered = [...detections].sort((a, b) => b.score - a.score);
  const kept: Detection[] = [];
  for (const candidate of ordered) {
    if (kept.every((other) => overlap(other.box, candidate.box) <= limit)) kept.push(candidate);
  }
  return kept;
}
