import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { decodeStill } from './decode/decode-still.ts';
import type { Detection, FaceQuality, FaceShot } from './frame.ts';
import { wipe } from './sighting/dossier.ts';
import type { StillPurpose } from './stage-tasks.ts';
import type { Stages } from './stages.ts';

/** A face that is this much narrower than the largest one stands in the background and is not meant. */
const BACKGROUND_SHARE = 0.4;
/** A face of which more than this lies outside the picture is not meant where a whole one is there. */
const CUT_SHARE = 0.1;

export interface DescribedFace {
  readonly shot: FaceShot;
  /** 512-d, L2-normalised. */
  readonly embedding: Float32Array;
}

/**
 * The stages in the order for a still picture of one person: decode > detect > align, quality > embed.
 *
 * @param purpose whose limits of quality count
 * @throws {SecureGateError} those of `decodeStill`, `no_face`, `several_faces`, `poor_face` with its reasons
 */
export async function describeStill(stages: Stages, file: Buffer, purpose: StillPurpose): Promise<DescribedFace> {
  const image = await decodeStill(file);
  const shots = await stages.analyse(image, inForeground(await stages.detectStill(image)), purpose);
  let meant: FaceShot | undefined;
  try {
    const shot = whoIsMeant(shots);
    if (shot.rejections.length > 0) {
      throw new SecureGateError('poor_face', `The face is not good enough: ${shot.rejections.join(', ')}`, {
        details: { reasons: shot.rejections, quality: rounded(shot.quality) },
      });
    }
    const embedding = await stages.embedStill(shot.aligned);
    meant = shot;
    return { shot, embedding };
  } finally {
    // Only the caller of a picture that was described is left with a face.
    for (const shot of shots) if (shot !== meant) wipe(shot);
  }
}

/** As exact as anybody wants to read it. */
function rounded(quality: FaceQuality): Record<string, number> {
  return Object.fromEntries(Object.entries(quality).map(([name, value]) => [name, Math.round(value * 100) / 100]));
}

/** The largest face and all that are not much smaller, largest first. */
function inForeground(detections: readonly Detection[]): Detection[] {
  const bySize = detections.toSorted((a, b) => b.box.width - a.box.width);
  const least = BACKGROUND_SHARE * (bySize[0]?.box.width ?? 0);
  return bySize.filter(({ box }) => box.width >= least);
}

/** What only looks like a face, and a face that the picture's edge cuts, are not meant where another face is there. */
function whoIsMeant(shots: readonly FaceShot[]): FaceShot {
  const [largest] = shots;
  if (largest === undefined) throw new SecureGateError('no_face', 'No face was found in this picture');
  const whole = shots.filter(({ rejections, quality }) => !rejections.includes('no_landmarks') && quality.cutOff <= CUT_SHARE);
  if (whole.length > 1) {
    throw new SecureGateError('several_faces', 'It is not clear which of the faces is meant', { details: { faces: whole.length } });
  }
  return whole[0] ?? largest;
}
