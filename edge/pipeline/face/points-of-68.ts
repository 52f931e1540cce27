import type { Box, FivePoints, Point } from '../frame.ts';

/** Marks of the 68-point scheme (iBUG 300-W, from 0) whose mean is each of the five points. */
const EYE_LEFT = [37, 38, 40, 41];
const EYE_RIGHT = [43, 44, 46, 47];
const NOSE_TIP = [30];
const MOUTH_LEFT = [48, 60];
const MOUTH_RIGHT = [54, 64];

/**
 * The five points of a face out of its 68 marks.
 *
 * @param marks 136 values: x, y of each mark as a share of the region
 * @param region that the marks were looked for in, pixels of the picture
 */
export function pointsOf68(marks: Float32Array, region: Box): FivePoints {
  const mean = (indices: readonly number[]): Point => {
    let x = 0;
    let y = 0;
    for (const index of indices) {
      x += marks[index * 2] as number;
      y += marks[index * 2 + 1] as number;
    }
    return { x: region.x + (x / indices.length) * region.width, y: region.y + (y / indices.length) * region.height };
  };
  return [mean(EYE_LEFT), mean(EYE_RIGHT), mean(NOSE_TIP), mean(MOUTH_LEFT), mean(MOUTH_RIGHT)];
}
