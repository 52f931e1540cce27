import type { ModelEntry } from '../../models/registry/manifest-schema.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { RgbImage } from './image.ts';

/**
 * Turns pictures into a model's input: channel order, grey, mean and scale, layout, one picture after the other.
 * Grey is ITU-R BT.601 luma (0.299 R + 0.587 G + 0.114 B), as the models' authors convert it.
 * @param input the model's input contract; value = (pixel - mean) / std
 * @param size width and height of the pictures where the model takes other ones than its nominal
 * @param allocate gives the buffer to write to, where a caller uses one again and again
 * @returns `images.length * channels * height * width` values
 * @throws {SecureGateError} `inference_failed` a picture has another size
 */
export function packImages(
  images: readonly RgbImage[],
  input: ModelEntry['input'],
  size: { readonly width: number; readonly height: number } = input,
  allocate: (length: number) => Float32Array = (length) => new Float32Array(length),
): Float32Array {
  const area = size.width * size.height;
  const channels = input.channels === 'grey' ? 1 : 3;
  const packed = allocate(images.length * channels * area);
  for (const [index, image] of images.entries()) {
    if (image.width !== size.width || image.height !== size.height || image.data.length !== area * 3) {
      throw new SecureGateError(
        'inference_failed',
        `picture of ${image.width}x${image.height} for an input of ${size.width}x${size.height}`,
      );
    }
    packOne(image.data, packed, index * channels * area, area, input);
  }
  return packed;
}

function packOne(pixels: Uint8Array, packed: Float32Array, offset: number, area: number, input: ModelEntry['input']): void {
  const scale = 1 / input.std;
  const shift = -input.mean / input.std;
  if (input.channels === 'grey') {
    for (let i = 0, p = 0; i < area; i++, p += 3) {
      // Indexes lie inside: the caller has compared the lengths.
      const grey = 0.299 * (pixels[p] as number) + 0.587 * (pixels[p + 1] as number) + 0.114 * (pixels[p + 2] as number);
      packed[offset + i] = grey * scale + shift;
    }
    return;
  }
  const [first, third] = input.channels === 'rgb' ? [0, 2] : [2, 0];
  // Distance between two channels of a pixel, and between two pixels, in the packed form.
  const [plane, step] = input.layout === 'nchw' ? [area, 1] : [1, 3];
  for (let i = 0, p = 0, q = offset; i < area; i++, p += 3, q += step) {
    packed[q] = (pixels[p + first] as number) * scale + shift;
    packed[q + plane] = (pixels[p + 1] as number) * scale + shift;
    packed[q + 2 * plane] = (pixels[p + third] as number) * scale + shift;
  }
}
