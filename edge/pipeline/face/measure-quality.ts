import type { RgbImage } from '../../inference/image.ts';
import type { Box, FaceQuality, FivePoints } from '../frame.ts';
import { headPose } from './head-pose.ts';
import { sharpness } from './sharpness.ts';

/** Values at which a face can be no better: more pixels or more detail than the embedder's 112x112 input holds. */
const FULL_SIZE_PX = 112;
const FULL_SHARPNESS = 8;
/** Degrees of turn that halve the worth of a shot. */
const HALVING_TURN = 30;

/**
 * @param image the picture that the face was found in
 * @param aligned the same face as `alignFace` gives it
 */
export function measureQuality(image: RgbImage, box: Box, points: FivePoints, aligned: RgbImage): FaceQuality {
  const { yaw, pitch, roll } = headPose(points);
  const sizePx = Math.min(box.width, box.height);
  const sharp = sharpness(aligned);
  const cutOff = shareOutside(image, box);
  // Alignment undoes roll, so only yaw and pitch cost anything.
  const frontal = 2 ** -((Math.hypot(yaw, pitch) / HALVING_TURN) ** 2);
  const overall = Math.min(1, sizePx / FULL_SIZE_PX) * Math.sqrt(Math.min(1, sharp / FULL_SHARPNESS)) * frontal * (1 - cutOff);
  return { sizePx, sharpness: sharp, yaw, pitch, roll, cutOff, overall };
}

function shareOutside(image: RgbImage, box: Box): number {
  const width = Math.min(image.width, box.x + box.width) - Math.max(0, box.x);
  const height = Math.min(image.height, box.y + box.height) - Math.max(0, box.y);
  return 1 - (Math.max(0, width) * Math.max(0, height)) / (box.width * box.height);
}
