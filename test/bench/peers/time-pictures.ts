import type { RgbImage } from '../../../edge/inference/image.ts';

export interface PictureFigures {
  /** Median of a picture, and CPU of one on average, milliseconds. */
  readonly p50Ms: number;
  readonly cpuMs: number;
  /** Faces that were found in all pictures together. */
  readonly faces: number;
}

const ROUNDS = 5;

/** Times work on pictures, after one round that does not count. @param work gives the number of faces */
export async function timePictures(pictures: readonly RgbImage[], work: (picture: RgbImage) => Promise<number>): Promise<PictureFigures> {
  let faces = 0;
  for (const picture of pictures) faces += await work(picture);
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const picture of pictures) {
      const startedAt = performance.now();
      await work(picture);
      times.push(performance.now() - startedAt);
    }
  }
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  return { p50Ms: times[times.length >> 1] ?? 0, cpuMs: (user + system) / 1000 / times.length, faces };
}
