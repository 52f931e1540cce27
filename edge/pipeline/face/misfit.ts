import type { FivePoints } from '../frame.ts';
import { ARCFACE_TEMPLATE } from './align-face.ts';
import { similarityTransform } from './similarity-transform.ts';

/** Distance between the template's eyes. */
const EYES = Math.hypot(ARCFACE_TEMPLATE[1].x - ARCFACE_TEMPLATE[0].x, ARCFACE_TEMPLATE[1].y - ARCFACE_TEMPLATE[0].y);

/**
 * How badly five points fit the ArcFace template at its best turn, scale and place: root mean square distance, in
 * distances between the eyes. Faces reach 0.2 and full profiles 0.4; points at random lie between 0.45 and 0.67, the
 * most there can be; where all five coincide it may be no number.
 */
export function misfit(points: FivePoints): number {
  const { a, b, c, d, tx, ty } = similarityTransform(points, ARCFACE_TEMPLATE);
  let squares = 0;
  points.forEach(({ x, y }, index) => {
    const target = ARCFACE_TEMPLATE[index] ?? ARCFACE_TEMPLATE[0];
    squares += (a * x + b * y + tx - target.x) ** 2 + (c * x + d * y + ty - target.y) ** 2;
  });
  return Math.sqrt(squares / points.length) / EYES;
}
