import type { RgbImage } from '../../inference/image.ts';

/** Share of an aligned face left out at each edge: hair and background say nothing about the face. */
const MARGIN = 0.2;

/**
 * What rounding to whole numbers adds to the variance of the Laplacian (weights 1, 1, 1, 1, -4: 20 times that of the luma,
 * which is 1/12 times the sum of its squared weights): a dark face out of focus is hardly more than that.
 */
const ROUNDING = (20 * (0.299 ** 2 + 0.587 ** 2 + 0.114 ** 2)) / 12;

/**
 * Sharpness of an aligned face: variance of the Laplacian of its luma over the middle of the picture, over the variance
 * of the luma itself, times 100. The division makes a dim face as sharp as the same face in good light.
 */
export function sharpness({ width, height, data }: RgbImage): number {
  const left = Math.round(width * MARGIN);
  const top = Math.round(height * MARGIN);
  const right = width - left;
  const bottom = height - top;
  const luma = new Float64Array(width * height);
  for (let i = 0; i < luma.length; i++) {
    luma[i] = 0.299 * (data[i * 3] as number) + 0.587 * (data[i * 3 + 1] as number) + 0.114 * (data[i * 3 + 2] as number);
  }
  let sum = 0;
  let squares = 0;
  let edges = 0;
  let edgeSquares = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = y * width + x;
      const here = luma[at] as number;
      const around = (luma[at - 1] as number) + (luma[at + 1] as number) + (luma[at - width] as number) + (luma[at + width] as number);
      const edge = around - 4 * here;
      sum += here;
      squares += here * here;
      edges += edge;
      edgeSquares += edge * edge;
    }
  }
  const count = (right - left) * (bottom - top);
  const variance = squares / count - (sum / count) ** 2;
  const edgeVariance = edgeSquares / count - (edges / count) ** 2;
  return (100 * Math.max(0, edgeVariance - ROUNDING)) / (variance + 1);
}
