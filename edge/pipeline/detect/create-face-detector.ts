import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Size } from '../../inference/fit-image.ts';
import type { RgbImage } from '../../inference/image.ts';
import type { ModelSession } from '../../inference/model-session.ts';
import type { Region } from '../../inference/resize.ts';
import { SpareBuffer } from '../../inference/spare-buffer.ts';
import type { Detection } from '../frame.ts';
import { decodeScrfd } from './decode-scrfd.ts';
import { decodeUltraface } from './decode-ultraface.ts';
import { type DetectorHead, detectInRegions } from './detect-in-regions.ts';
import { mergeRegions } from './merge-regions.ts';
import { closerRegions, stillRegions } from './still-regions.ts';
import { type TileGrid, tileRegions } from './tile-regions.ts';

export interface FaceDetector {
  /**
   * Faces in a picture, best score first; boxes and points in pixels of the picture.
   *
   * @param tiles look also at these overlapping parts of the picture, each as large as the model's input allows, for
   *   faces too small to be seen in the whole picture
   * @throws {SecureGateError} `inference_failed`
   */
  detect(image: RgbImage, tiles?: TileGrid): Promise<Detection[]>;
  /**
   * Faces in parts of a picture, as they are found in the whole, at a cost by the parts' area. A face that a part cuts is left out.
   *
   * @param parts as `partsToLookAt` gives them, with the fields of this model
   * @throws {SecureGateError} `inference_failed`
   */
  detectIn(image: RgbImage, parts: readonly Region[]): Promise<Detection[]>;
  /**
   * The same for a still picture, of any shape and cut as tightly as it may be, in more time.
   *
   * @throws {SecureGateError} `inference_failed`
   */
  detectStill(image: RgbImage): Promise<Detection[]>;
}

/** A face that the small pass finds counts when it is at least this share of the picture's shorter side. */
const FILLING = 0.4;
/** SCRFD's coarsest stride: sides of its input are multiples of it. */
const SIZE_STEP = 32;

/**
 * A detector around a loaded model; its head follows from the model's contract.
 *
 * @param options.threshold lowest score of a face; the model's own unless given
 * @throws {SecureGateError} `model_contract` when the model is no face detector, or one that its head cannot use
 */
export function createFaceDetector(session: ModelSession, options: { readonly threshold?: number | undefined } = {}): FaceDetector {
  const { id, input, output, defaultThreshold } = session.model;
  const threshold = options.threshold ?? defaultThreshold;
  if (threshold === null) throw new SecureGateError('model_contract', `Detector ${id} has no threshold`);
  const buffer = new SpareBuffer();
  switch (output.decoder) {
    case 'ultraface':
      return ultraface({ session, buffer, threshold, nms: output.nms, decode: decodeUltraface });
    case 'scrfd':
      if (!input.dynamicSize) throw new SecureGateError('model_contract', `SCRFD ${id} must take pictures of any size`);
      return scrfd({ session, buffer, threshold, nms: output.nms, decode: decodeScrfd }, output.fallbackSize);
    default:
      throw new SecureGateError('model_contract', `Model ${id} is no face detector`, { details: { decoder: output.decoder } });
  }
}

/** Faces in the regions of a picture, the first of which holds the whole of it. */
type Look = (image: RgbImage, regions: readonly Region[]) => Promise<Detection[]>;

function ultraface(head: DetectorHead): FaceDetector {
  const { input } = head.session.model;
  const whole = wholeOf(input);
  const look: Look = async (image, regions) => mergeRegions(regions, await detectInRegions(head, image, regions, whole), image);
  return {
    ...detectorOf(look, input),
    async detectIn(image, parts) {
      const found: Detection[][] = [];
      for (const part of parts) found.push(...(await detectInRegions(head, image, [part], scaled(part, image, input))));
      return mergeRegions(parts, found, image);
    },
  };
}

/**
 * SCRFD has no anchor for a face that fills its input, so every picture is looked at a second time at a small size;
 * of that pass only large faces count. The two passes cannot share a run, their inputs differ in size.
 */
function scrfd(head: DetectorHead, fallbackSize: number): FaceDetector {
  return detectorOf(async (image, regions) => {
    const found = await detectInRegions(head, image, regions, wholeOf(inputSize(head, regions)));
    const whole = regions[0] as Region;
    const [large = []] = await detectInRegions(head, image, [whole], wholeOf({ width: fallbackSize, height: fallbackSize }));
    const least = FILLING * Math.min(image.width, image.height);
    found.push(large.filter(({ box }) => Math.min(box.width, box.height) >= least));
    return mergeRegions([...regions, whole], found, image);
  }, head.session.model.input);
}

function detectorOf(look: Look, input: Size): FaceDetector {
  return {
    detect: (image, tiles) => look(image, regionsOf(image, tiles)),
    detectIn: (image) => look(image, regionsOf(image, undefined)),
    async detectStill(image) {
      const found = await look(image, stillRegions(image, input));
      return found.length > 0 ? found : look(image, closerRegions(image, input));
    },
  };
}

function regionsOf(image: RgbImage, tiles: TileGrid | undefined): Region[] {
  const whole = wholeOf(image);
  return tiles ? [whole, ...tileRegions(image.width, image.height, tiles)] : [whole];
}

function wholeOf({ width, height }: Size): Region {
  return { x: 0, y: 0, width, height };
}

/** Where a region of a picture lies in an input that the whole picture is stretched to, in whole pixels. */
function scaled({ x, y, width, height }: Region, picture: Size, input: Size): Region {
  const across = input.width / picture.width;
  const down = input.height / picture.height;
  return { x: Math.round(x * across), y: Math.round(y * down), width: Math.round(width * across), height: Math.round(height * down) };
}

/** Smallest input that holds every region at the model's nominal scale: padding costs as much time as picture. */
function inputSize({ session }: DetectorHead, regions: readonly Region[]): Size {
  const { width, height } = session.model.input;
  const side = (nominal: number, of: 'width' | 'height'): number => {
    const needed = regions.map((region) => region[of] / Math.max(region.width / width, region.height / height));
    return Math.min(nominal, Math.ceil(Math.round(Math.max(...needed)) / SIZE_STEP) * SIZE_STEP);
  };
  return { width: side(width, 'width'), height: side(height, 'height') };
}
