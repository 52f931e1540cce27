import type { RgbImage } from '../../inference/image.ts';
import { warpAffine } from '../../inference/warp-affine.ts';
import type { FivePoints } from '../frame.ts';
import { similarityTransform } from './similarity-transform.ts';

/** Side of an aligned face in pixels. */
export const ALIGNED_SIZE = 112;

/** Where ArcFace models expect the five points in their 112x112 input (insightface, `face_align.py`). */
export const ARCFACE_TEMPLATE: FivePoints = [
  { x: 38.2946, y: 51.6963 },
  { x: 73.5318, y: 51.5014 },
  { x: 56.0252, y: 71.7366 },
  { x: 41.5493, y: 92.3655 },
  { x: 70.7299, y: 92.2041 },
];

/** A face turned, scaled and moved so that its five points lie as close to the ArcFace template as they can; 112x112. */
export function alignFace(image: RgbImage, points: FivePoints): RgbImage {
  return warpAffine(image, similarityTransform(points, ARCFACE_TEMPLATE), ALIGNED_SIZE, ALIGNED_SIZE);
}
