import { type Affine, invertAffine } from './affine.ts';
import type { RgbImage } from './image.ts';
import { resize } from './resize.ts';

/**
 * The picture seen through an affine map, at a given size. Where the map shrinks, the source is first averaged down to
 * the target's scale, so that fine detail blurs instead of aliasing; then the target is sampled bilinearly. Beyond the
 * picture's edge the outermost pixels go on.
 *
 * Coordinates are those of landmark templates: whole numbers are pixel centres.
 *
 * @param map from source pixels to target pixels; must be invertible
 */
export function warpAffine(image: RgbImage, map: Affine, width: number, height: number): RgbImage {
  const back = invertAffine(map);
  const shrink = Math.sqrt(Math.abs(back.a * back.d - back.b * back.c));
  // A map that is no number (points that coincide) takes this way too, and gives black.
  if (!(shrink > 1)) return sample(image, back, width, height);
  const seen = visibleRegion(image, back, width, height);
  const reducedWidth = Math.max(1, Math.round(seen.width / shrink));
  const reducedHeight = Math.max(1, Math.round(seen.height / shrink));
  const reduced = resize(image, reducedWidth, reducedHeight, seen);
  const fx = reducedWidth / seen.width;
  const fy = reducedHeight / seen.height;
  // A pixel centre is half a pixel into its pixel, at either size.
  const shifted: Affine = {
    a: back.a * fx,
    b: back.b * fx,
    tx: (back.tx + 0.5 - seen.x) * fx - 0.5,
    c: back.c * fy,
    d: back.d * fy,
    ty: (back.ty + 0.5 - seen.y) * fy - 0.5,
  };
  return sample(reduced, shifted, width, height);
}

/** Upright rectangle of whole source pixels that the target sees, with a margin for the averaging; never empty. */
function visibleRegion(
  image: RgbImage,
  back: Affine,
  width: number,
  height: number,
): { x: number; y: number; width: number; height: number } {
  const xs = [0, back.a * (width - 1), back.b * (height - 1), back.a * (width - 1) + back.b * (height - 1)].map((x) => x + back.tx);
  const ys = [0, back.c * (width - 1), back.d * (height - 1), back.c * (width - 1) + back.d * (height - 1)].map((y) => y + back.ty);
  const margin = 2 * Math.sqrt(Math.abs(back.a * back.d - back.b * back.c));
  const clamp = (value: number, limit: number): number => Math.min(limit, Math.max(0, value));
  const left = clamp(Math.floor(Math.min(...xs) - margin), image.width - 1);
  const top = clamp(Math.floor(Math.min(...ys) - margin), image.height - 1);
  const right = clamp(Math.ceil(Math.max(...xs) + margin) + 1, image.width);
  const bottom = clamp(Math.ceil(Math.max(...ys) + margin) + 1, image.height);
  return { x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
}

function sample(image: RgbImage, back: Affine, width: number, height: number): RgbImage {
  const { data } = image;
  const maxX = image.width - 1;
  const maxY = image.height - 1;
  const target = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const sourceX = Math.min(maxX, Math.max(0, back.a * x + back.b * y + back.tx));
      const sourceY = Math.min(maxY, Math.max(0, back.c * x + back.d * y + back.ty));
      const left = Math.floor(sourceX);
      const top = Math.floor(sourceY);
      const fx = sourceX - left;
      const fy = sourceY - top;
      const upper = (top * image.width + left) * 3;
      const lower = top < maxY ? upper + image.width * 3 : upper;
      const right = left < maxX ? 3 : 0;
      const w00 = (1 - fx) * (1 - fy);
      const w10 = fx * (1 - fy);
      const w01 = (1 - fx) * fy;
      const w11 = fx * fy;
      for (let channel = 0; channel < 3; channel++) {
        const u = upper + channel;
        const l = lower + channel;
        target[at + channel] =
          0.5 +
          w00 * (data[u] as number) +
          w10 * (data[u + right] as number) +
          w01 * (data[l] as number) +
          w11 * (data[l + right] as number);
      }
    }
  }
  return { width, height, data: target };
}
