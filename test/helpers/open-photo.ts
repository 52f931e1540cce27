import sharp, { type Sharp } from 'sharp';
import type { RgbImage } from '../../edge/inference/image.ts';

/** A picture file, or its content, as the pipeline sees it, after the changes that `edit` makes (sharp's, in its order). */
export async function openPhoto(file: string | Buffer, edit: (picture: Sharp) => Sharp = (picture) => picture): Promise<RgbImage> {
  const { data, info } = await edit(sharp(file)).removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}
