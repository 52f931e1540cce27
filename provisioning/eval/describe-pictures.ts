import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { ComparedFace } from './compare-pairs.ts';
import type { Picture } from './list-pictures.ts';

/** Why a picture gave no face, in the words of its error. */
export interface Refusal {
  readonly picture: Picture;
  readonly error: SecureGateError;
}

export interface DescribePicturesOptions {
  /** The embedding of the face on a picture. */
  readonly describe: (image: Buffer) => Promise<Float32Array>;
  /** Pictures that are worked on at the same time. */
  readonly atOnce: number;
  /** Called after each picture with how many are done. */
  readonly onProgress: (done: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Describes the pictures one after the other, a few at a time: of each only its embedding stays in memory, and nothing reaches
 * a disk. What is wrong with a picture is told; what is wrong with the box ends it all.
 * @returns both in the order of the pictures
 * @throws {SecureGateError} `inference_failed` and other faults of the box; the reason of `signal` when it is aborted
 */
export async function describePictures(
  pictures: readonly Picture[],
  { describe, atOnce, onProgress, signal }: DescribePicturesOptions,
): Promise<{ faces: ComparedFace[]; refusals: Refusal[] }> {
  const results = new Array<ComparedFace | Refusal>(pictures.length);
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < pictures.length) {
      const index = next;
      next += 1;
      const picture = pictures[index] as Picture;
      signal.throwIfAborted();
      results[index] = await describeOne(picture, describe);
      done += 1;
      onProgress(done);
    }
  };
  const workers = Array.from({ length: atOnce }, () =>
    work().catch((error: unknown) => {
      next = pictures.length;
      throw error;
    }),
  );
  // Whoever ends the inference threads must not do it under those that are still at work.
  const failed = (await Promise.allSettled(workers)).find((worker) => worker.status === 'rejected');
  if (failed) throw failed.reason;
  return {
    faces: results.filter((result) => 'embedding' in result),
    refusals: results.filter((result) => 'error' in result),
  };
}

async function describeOne(picture: Picture, describe: DescribePicturesOptions['describe']): Promise<ComparedFace | Refusal> {
  try {
    const image = await readFile(picture.path).catch((cause: unknown) => {
      throw new SecureGateError('file_unreadable', `cannot read ${picture.path}`, { cause });
    });
    const content = createHash('sha256').update(image).digest('base64');
    return { identity: picture.identity, name: picture.name, content, embedding: await describe(image) };
  } catch (error) {
    const refusal = SecureGateError.from(error);
    // The fault of one picture has a status of the 400s, the box's own one of the 500s.
    if (refusal.status >= 500) throw refusal;
    return { picture, error: refusal };
  }
}
