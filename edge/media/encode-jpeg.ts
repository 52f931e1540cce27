import sharp from 'sharp';
import type { RgbImage } from '../inference/image.ts';

// The library would keep pictures of past operations in memory to save work.
sharp.cache(false);

/** Good enough to look at, at a quarter of the bytes of a picture that is kept. */
const QUALITY = 75;

export interface EncodedPicture {
  readonly width: number;
  readonly height: number;
  readonly jpeg: Buffer;
}

/**
 * Encodes a picture on libuv's threads; its pixels are read until this resolves and not kept.
 * @param maxWidth wider pictures are scaled down to it
 */
export async function encodeJpeg({ width, height, data }: RgbImage, maxWidth: number): Promise<EncodedPicture> {
  // A sharper kernel and a second look for shorter codes would take half as much time again, for hardly another picture.
  const scaled = sharp(data, { raw: { width, height, channels: 3 } }).resize({
    width: maxWidth,
    withoutEnlargement: true,
    kernel: 'linear',
  });
  const { data: jpeg, info } = await scaled.jpeg({ quality: QUALITY, optimiseCoding: false }).toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, jpeg };
}
