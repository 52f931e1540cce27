import { readFile } from 'node:fs/promises';
import type { RgbImage } from '../../../edge/inference/image.ts';
import { resize } from '../../../edge/inference/resize.ts';
import { decodeStill } from '../../../edge/pipeline/decode/decode-still.ts';
import { FRAME } from '../../../provisioning/demo/footage/script.ts';
import { samplePhotos } from '../../helpers/sample-photos.ts';

/** The six photographs as a camera of 1280x720 would show them, in memory that threads share. */
export async function samplePictures(): Promise<RgbImage[]> {
  const { width, height } = FRAME;
  return Promise.all(
    (await samplePhotos()).map(async (file) => {
      const photo = await decodeStill(await readFile(file));
      const cut = { x: 0, y: 0, width: photo.width, height: (photo.width * height) / width };
      const data = Buffer.from(new SharedArrayBuffer(width * height * 3));
      data.set(resize(photo, width, height, cut).data);
      return { width, height, data };
    }),
  );
}
