import type { ModelEntry } from '../../models/registry/manifest-schema.ts';
import type { RgbImage } from './image.ts';
import { type Region, resize } from './resize.ts';

/** A region at a model's input size, and the way back: source = region corner + input pixel * scale. */
export interface FittedImage {
  readonly image: RgbImage;
  /** Source pixels for one input pixel, across and down. */
  readonly scaleX: number;
  readonly scaleY: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Brings a region of a picture to the size of a model's input the way the model's contract says: `letterbox-top-left`
 * keeps the aspect ratio, puts the picture top left and fills the rest with `input.pad`; every other fit stretches.
 */
export function fitImage(image: RgbImage, region: Region, input: Pick<ModelEntry['input'], 'fit' | 'pad'>, size: Size): FittedImage {
  const { width, height } = size;
  if (input.fit !== 'letterbox-top-left') {
    return { image: resize(image, width, height, region), scaleX: region.width / width, scaleY: region.height / height };
  }
  const scale = Math.max(region.width / width, region.height / height);
  const innerWidth = Math.min(width, Math.max(1, Math.round(region.width / scale)));
  const innerHeight = Math.min(height, Math.max(1, Math.round(region.height / scale)));
  const inner = resize(image, innerWidth, innerHeight, region);
  const scales = { scaleX: region.width / innerWidth, scaleY: region.height / innerHeight };
  if (innerWidth === width && innerHeight === height) return { image: inner, ...scales };
  const data = new Uint8Array(width * height * 3).fill(input.pad);
  for (let y = 0; y < innerHeight; y++) data.set(inner.data.subarray(y * innerWidth * 3, (y + 1) * innerWidth * 3), y * width * 3);
  return { image: { width, height, data }, ...scales };
}
