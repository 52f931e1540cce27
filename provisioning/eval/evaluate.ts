import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { comparePairs, type PairScores } from './compare-pairs.ts';
import { type DescribePicturesOptions, describePictures, type Refusal } from './describe-pictures.ts';
import type { listPictures } from './list-pictures.ts';
import { equalErrorRate, type OperatingPoint, pointAt } from './measure-accuracy.ts';

/** The false accept rates that are reported, by their names. */
const RATES = { '1e-2': 1e-2, '1e-3': 1e-3 } as const;
export type RateName = keyof typeof RATES;

export interface EvaluationResult {
  readonly identities: number;
  readonly images: number;
  /** Images that gave a face; all of their pairs were compared. */
  readonly detected: number;
  readonly refusals: readonly Refusal[];
  /** Files and folders that are no pictures of a person. */
  readonly leftOut: number;
  readonly pairs: PairScores;
  readonly eer: number;
  readonly points: Readonly<Record<RateName, OperatingPoint>>;
}

/**
 * Measures on pictures of people how well faces are told apart.
 * @throws {SecureGateError} `too_few_pictures`, those of `describePictures`
 */
export async function evaluate(
  { pictures, leftOut }: Awaited<ReturnType<typeof listPictures>>,
  options: Omit<DescribePicturesOptions, 'onProgress'> & {
    readonly onProgress: (what: 'pictures' | 'pairs', done: number, total: number) => void;
  },
): Promise<EvaluationResult> {
  const onProgress = (done: number): void => options.onProgress('pictures', done, pictures.length);
  const { faces, refusals } = await describePictures(pictures, { ...options, onProgress });
  try {
    const pairs = await comparePairs(faces, {
      onProgress: (done, total) => options.onProgress('pairs', done, total),
      signal: options.signal,
    });
    const { genuine, impostor, copies } = pairs;
    if (genuine.total === 0 || impostor.total === 0) {
      const details = { images: pictures.length, detected: faces.length, genuine: genuine.total, impostor: impostor.total, copies };
      const lacking = genuine.total === 0 ? 'two different pictures of one person' : 'pictures of two people';
      throw new SecureGateError('too_few_pictures', `There are no ${lacking} that each give a face`, { details });
    }
    return {
      identities: new Set(pictures.map(({ identity }) => identity)).size,
      images: pictures.length,
      detected: faces.length,
      refusals,
      leftOut,
      pairs,
      eer: equalErrorRate(genuine, impostor),
      points: { '1e-2': pointAt(genuine, impostor, RATES['1e-2']), '1e-3': pointAt(genuine, impostor, RATES['1e-3']) },
    };
  } finally {
    for (const { embedding } of faces) embedding.fill(0);
  }
}
