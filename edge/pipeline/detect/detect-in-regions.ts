import { fitImage, type Size } from '../../inference/fit-image.ts';
import type { RgbImage } from '../../inference/image.ts';
import type { ModelSession, OutputTensor } from '../../inference/model-session.ts';
import { packImages } from '../../inference/pack-images.ts';
import type { Region } from '../../inference/resize.ts';
import type { SpareBuffer } from '../../inference/spare-buffer.ts';
import type { Detection, FivePoints, Point } from '../frame.ts';
import { suppressOverlaps } from './suppress-overlaps.ts';

/** What a detector's head adds to the common way: how its outputs become boxes in pixels of its input. */
export interface DetectorHead {
  readonly session: ModelSession;
  /** For the model's inputs. */
  readonly buffer: SpareBuffer;
  readonly threshold: number;
  /** Intersection over union above which two boxes are one face. */
  readonly nms: number;
  readonly decode: (outputs: readonly OutputTensor[], index: number, part: Region, threshold: number, whole: Size) => Detection[];
}

/**
 * Looks for faces in several regions of one picture with one run of the model.
 *
 * @param part of the model's nominal input that they are brought to, the same for all regions; of another size its corner is 0, 0
 * @returns for each region its faces, in pixels of the picture, best score first
 * @throws {SecureGateError} `inference_failed`
 */
export async function detectInRegions(
  head: DetectorHead,
  image: RgbImage,
  regions: readonly Region[],
  part: Region,
): Promise<Detection[][]> {
  const { session, buffer, threshold, nms, decode } = head;
  const fitted = regions.map((region) => fitImage(image, region, session.model.input, part));
  const input = packImages(
    fitted.map((picture) => picture.image),
    session.model.input,
    part,
    (length) => buffer.take(length),
  );
  const outputs = await session
    .run(input, regions.length, session.model.input.dynamicSize ? part : undefined)
    .finally(() => buffer.giveBack(input));
  return fitted.map(({ scaleX, scaleY }, index) => {
    const { x, y } = regions[index] as Region;
    const toFrame = (point: Point): Point => ({ x: x + point.x * scaleX, y: y + point.y * scaleY });
    return suppressOverlaps(decode(outputs, index, part, threshold, session.model.input), nms).map((found) => ({
      box: { ...toFrame(found.box), width: found.box.width * scaleX, height: found.box.height * scaleY },
      score: found.score,
      ...(found.points && { points: mapPoints(found.points, toFrame) }),
    }));
  });
}

function mapPoints([eyeLeft, eyeRight, nose, mouthLeft, mouthRight]: FivePoints, map: (point: Point) => Point): FivePoints {
  return [map(eyeLeft), map(eyeRight), map(nose), map(mouthLeft), map(mouthRight)];
}
