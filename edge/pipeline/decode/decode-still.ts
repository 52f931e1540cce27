import sharp from 'sharp';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { RgbImage } from '../../inference/image.ts';

const MAX_BYTES = 20 * 1024 * 1024;
/** Pixels that a file may claim: a small file that unfolds into gigabytes is refused before it is decoded. */
const MAX_PIXELS = 50_000_000;
/** Longer side of the decoded picture; a face that needs more pixels than this leaves fills the frame anyway. */
const MAX_SIDE = 1920;

/** JPEG, PNG and WebP by their first bytes: no other decoder of the library is ever reached by a stranger's file. */
const SIGNATURES: readonly ((file: Buffer) => boolean)[] = [
  (file) => file.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff])),
  (file) => file.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])),
  (file) => file.subarray(0, 4).toString('latin1') === 'RIFF' && file.subarray(8, 12).toString('latin1') === 'WEBP',
];

/**
 * Decodes an uploaded picture, upright by its EXIF orientation, at most 1920 pixels on its longer side.
 * @throws {SecureGateError} `not_an_image`, `image_truncated`, `image_empty`, `image_too_large`
 */
export async function decodeStill(file: Buffer): Promise<RgbImage> {
  if (file.length > MAX_BYTES) {
    throw new SecureGateError('image_too_large', 'The file is too large', { details: { bytes: file.length, most: MAX_BYTES } });
  }
  if (!SIGNATURES.some((matches) => matches(file))) throw new SecureGateError('not_an_image', 'This is neither JPEG, PNG nor WebP');
  const { width, height } = await readSize(file);
  if (width * height > MAX_PIXELS) {
    throw new SecureGateError('image_too_large', 'The picture has too many pixels', { details: { width, height, mostPixels: MAX_PIXELS } });
  }
  try {
    const { data, info } = await sharp(file, { limitInputPixels: MAX_PIXELS, failOn: 'truncated' })
      .autoOrient()
      .resize({ width: MAX_SIDE, height: MAX_SIDE, fit: 'inside', withoutEnlargement: true })
      .flatten()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data };
  } catch (error) {
    throw new SecureGateError('image_truncated', 'The picture is damaged or cut off', { cause: error });
  }
}

async function readSize(file: Buffer): Promise<{ width: number; height: number }> {
  try {
    const { width, height } = await sharp(file, { limitInputPixels: false }).metadata();
    return { width, height };
  } catch (error) {
    if (claimsNoPixels(file, error)) throw new SecureGateError('image_empty', 'The picture has no pixels', { cause: error });
    throw new SecureGateError('image_truncated', 'The header of the picture is damaged or cut off', { cause: error });
  }
}

/** The decoders refuse a picture of no pixels while they read its header: libjpeg says so, for PNG its IHDR chunk tells. */
function claimsNoPixels(file: Buffer, error: unknown): boolean {
  if (file[0] === 0x89) return file.length >= 24 && file.readUInt32BE(16) * file.readUInt32BE(20) === 0;
  return error instanceof Error && error.message.includes('Empty JPEG');
}
