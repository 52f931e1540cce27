import sharp from 'sharp';
import { cutMask, headAndShoulders } from './cut-mask.ts';
import { shownFace } from './face-box-at.ts';
import type { Appearance } from './script.ts';
import { type Yuv, yuvOf } from './yuv.ts';

/** A person cut out of a photograph, as large as the appearance ever shows them. */
export interface Sprite {
  readonly width: number;
  readonly height: number;
  /** Colours, each plane in full size. */
  readonly yuv: Yuv;
  /** Opacity, 0..255. */
  readonly alpha: Uint8Array;
  /** Centre and height of the face within the sprite. */
  readonly face: { readonly x: number; readonly y: number; readonly height: number };
}

/** @param photo the photograph's file */
export async function makeSprite(appearance: Appearance, photo: string): Promise<Sprite> {
  const face = shownFace(appearance);
  const size = await sharp(photo).metadata();
  const cut = headAndShoulders(face, size);
  const largest = Math.max(...appearance.keyFrames.map(({ height }) => height));
  const scale = largest / face.box.height;
  const width = Math.round(cut.width * scale);
  const height = Math.round(cut.height * scale);
  let image = sharp(photo).extract(cut).resize(width, height, { fit: 'fill' });
  if (appearance.brightness !== 1) image = image.linear(appearance.brightness, 0);
  if (appearance.blur > 0) image = image.blur(appearance.blur);
  const rgb = await image.removeAlpha().toColourspace('srgb').raw().toBuffer();
  const alpha = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      alpha[y * width + x] = Math.round(255 * cutMask(face, size, cut.left + (x + 0.5) / scale, cut.top + (y + 0.5) / scale));
    }
  }
  const centre = { x: face.box.x + face.box.width / 2 - cut.left, y: face.box.y + face.box.height / 2 - cut.top };
  return { width, height, yuv: yuvOf(rgb), alpha, face: { x: centre.x * scale, y: centre.y * scale, height: largest } };
}
