import type { Affine } from '../../inference/affine.ts';
import type { Point } from '../frame.ts';

/**
 * The turn, scale and shift (no reflection) that brings points closest to others in the least-squares sense: the
 * plane's case of Umeyama, "Least-squares estimation of transformation parameters between two point patterns", IEEE
 * TPAMI 13 (1991). In the plane a turn with scale is the product with one complex number, so no decomposition is
 * needed: that number is sum(conj(p) q) / sum(|p|^2) over the points taken from their means.
 *
 * @param from at least two points; where they all coincide the result is not finite
 * @param to as many points, each the target of the one at its place in `from`
 */
export function similarityTransform(from: readonly Point[], to: readonly Point[]): Affine {
  const fromMean = mean(from);
  const toMean = mean(to);
  let cosine = 0;
  let sine = 0;
  let spread = 0;
  from.forEach((point, index) => {
    const target = to[index] ?? toMean;
    const px = point.x - fromMean.x;
    const py = point.y - fromMean.y;
    const qx = target.x - toMean.x;
    const qy = target.y - toMean.y;
    cosine += px * qx + py * qy;
    sine += px * qy - py * qx;
    spread += px * px + py * py;
  });
  const a = cosine / spread;
  const c = sine / spread;
  return { a, b: -c, c, d: a, tx: toMean.x - a * fromMean.x + c * fromMean.y, ty: toMean.y - c * fromMean.x - a * fromMean.y };
}

function mean(points: readonly Point[]): Point {
  const sum = points.reduce((total, { x, y }) => ({ x: total.x + x, y: total.y + y }), { x: 0, y: 0 });
  return { x: sum.x / points.length, y: sum.y / points.length };
}
