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

/** Share of a pixel that is no more than rounding. */
const NOTHING = 1e-6;

/**
 * Brings a region of a picture to the size of a model's input the way the model's contract says: `letterbox-top-left`
 * keeps the aspect ratio, puts the picture top left and fills the rest with `input.pad`; every other fit stretches.
 */
export function fitImage(image: RgbImage, region: Region, input: Pick<ModelEntry['input'], 'fit' | 'pad'>, size: Size): FittedImage {
  const { width, height } = size;
  const fitted = fittedSize(region, input, size);
  const inner = fromReduced(fitted, image, region) ?? resize(image, fitted.width, fitted.height, region);
  const scales = { scaleX: region.width / fitted.width, scaleY: region.height / fitted.height };
  if (fitted.width === width && fitted.height === height) return { image: inner, ...scales };
  const data = new Uint8Array(width * height * 3).fill(input.pad);
  const row = fitted.width * 3;
  for (let y = 0; y < fitted.height; y++) data.set(inner.data.subarray(y * row, (y + 1) * row), y * width * 3);
  return { image: { width, height, data }, ...scales };
}

/** Pixels of a model's input that a picture takes: all of them where it is stretched. */
export function fittedSize(picture: Size, input: Pick<ModelEntry['input'], 'fit'>, { width, height }: Size): Size {
  if (input.fit !== 'letterbox-top-left') return { width, height };
  const scale = Math.max(picture.width / width, picture.height / height);
  return {
    width: Math.min(width, Math.max(1, Math.round(picture.width / scale))),
    height: Math.min(height, Math.max(1, Math.round(picture.height / scale))),
  };
}

/** Out of the reduced picture that came with the whole one, where it shows as much as is wanted or is all that there is. */
function fromReduced({ width, height }: Size, { reduced, ...image }: RgbImage, region: Region): RgbImage | undefined {
  const outside = region.x < 0 || region.y < 0 || region.x + region.width > image.width || region.y + region.height > image.height;
  if (reduced === undefined || outside) return undefined;
  const across = reduced.width / image.width;
  const down = reduced.height / image.height;
  const there = { x: region.x * across, y: region.y * down, width: region.width * across, height: region.height * down };
  if (Object.values(there).every(isWhole) && Math.round(there.width) === width && Math.round(there.height) === height) {
    return cut(reduced, Math.round(there.x), Math.round(there.y), width, height);
  }
  const enough = (there.width >= width && there.height >= height) || image.data.length === 0;
  return enough ? resize(reduced, width, height, there) : undefined;
}

function isWhole(pixels: number): boolean {
  return Math.abs(pixels - Math.round(pixels)) < NOTHING;
}

/** The picture itself where all of it is wanted. */
function cut(image: RgbImage, left: number, top: number, width: number, height: number): RgbImage {
  if (width === image.width && height === image.height) return image;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height, data };
}
