import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { RgbImage } from '../../inference/image.ts';
import type { ModelSession } from '../../inference/model-session.ts';
import type { Box, Detection, FaceShot, FivePoints } from '../frame.ts';
import { ALIGNED_SIZE, ARCFACE_TEMPLATE, alignFace } from './align-face.ts';
import { findPoints, findPointsAgain } from './find-points.ts';
import { measureQuality } from './measure-quality.ts';
import type { QualityLimits } from './quality-limits.ts';
import { rejectionsOf } from './rejections-of.ts';

export interface FaceAnalyser {
  /**
   * The face of a detection, aligned and judged. A face that falls short comes back too, with its reasons.
   *
   * @param image the picture that the detection was made in
   * @throws {SecureGateError} `inference_failed`
   */
  analyse(image: RgbImage, detection: Detection): Promise<FaceShot>;
}

/**
 * @param landmarks model that finds the points of a face in its box; null where the detector finds them itself
 * @param options.lookTwice find landmarks again on the face turned upright, for still pictures
 * @throws {SecureGateError} `model_contract` when the model finds no landmarks
 */
export function createFaceAnalyser(
  landmarks: ModelSession | null,
  limits: QualityLimits,
  { lookTwice = false }: { readonly lookTwice?: boolean } = {},
): FaceAnalyser {
  if (landmarks && landmarks.model.output.decoder !== 'landmarks-68') {
    const { id, output } = landmarks.model;
    throw new SecureGateError('model_contract', `Model ${id} finds no landmarks`, { details: { decoder: output.decoder } });
  }
  return {
    async analyse(image, detection) {
      const { box } = detection;
      const found = detection.points ?? (landmarks ? await findPoints(landmarks, image, box) : null);
      const first = found ?? templatePoints(box);
      const points = lookTwice && landmarks ? await findPointsAgain(landmarks, image, first) : first;
      const aligned = alignFace(image, points);
      // The first look tells the pose: the second finds a frontal face even in a profile.
      const quality = measureQuality(image, box, first, aligned);
      return { box, points, quality, rejections: rejectionsOf(quality, found, limits), aligned };
    },
  };
}

/** Where the points of an average face would lie in the box; only so that a face without points can be shown. */
function templatePoints(box: Box): FivePoints {
  const [eyeLeft, eyeRight, nose, mouthLeft, mouthRight] = ARCFACE_TEMPLATE;
  const place = ({ x, y }: { x: number; y: number }): { x: number; y: number } => ({
    x: box.x + (x / ALIGNED_SIZE) * box.width,
    y: box.y + (y / ALIGNED_SIZE) * box.height,
  });
  return [place(eyeLeft), place(eyeRight), place(nose), place(mouthLeft), place(mouthRight)];
}
