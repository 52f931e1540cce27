import type { Size } from '../../inference/fit-image.ts';

/** Longer side of the picture that is analysed; larger ones are scaled down, since a face that only shows there is below every model's input. */
const MAX_SIDE = 1920;

/** Size of the frame that is made of a decoded picture. */
export function frameSize({ width, height }: Size): Size {
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
