import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { decodeStill } from './decode/decode-still.ts';
import type { Detection, FaceQuality, FaceShot } from './frame.ts';
import { wipe } from './sighting/dossier.ts';
import type { StillPurpose } from './stage-tasks.ts';
import type { Stages } from './stages.ts';

/** A face that is this much narrower than the largest one stands in the background, or the picture's edge cuts it, and is not meant. */
const BACKGROUND_SHARE = 0.6;

export interface DescribedFace {
  readonly shot: FaceShot;
  /** 512-d, L2-normalised. */
  readonly embedding: Float32Array;
}

/**
 * The stages in the order for a still picture of one person: decode > detect > align, quality > embed.
 * Shot and embedding belong to the caller; nothing else that was made of the picture stays, also where it is refused.
 *
 * @param purpose whose limits of quality count
 * @throws {SecureGateError} those of `decodeStill`, `no_face`, `several_faces`, `poor_face` with its reasons
 */
export async function describeStill(stages: Stages, file: Buffer, purpose: StillPurpose): Promise<DescribedFace> {
  const image = await decodeStill(file);
  try {
    const detection = onlyFace(await stages.detectStill(image));
    const [shot] = await stages.analyse(image, [detection], purpose);
    if (shot === undefined) throw new SecureGateError('internal', 'A face was detected but not analysed');
    return await embedded(stages, shot);
  } finally {
    image.data.fill(0);
  }
}

async function embedded(stages: Stages, shot: FaceShot): Promise<DescribedFace> {
  try {
    if (shot.rejections.length > 0) {
      throw new SecureGateError('poor_face', `The face is not good enough: ${shot.rejections.join(', ')}`, {
        details: { reasons: shot.rejections, quality: rounded(shot.quality) },
      });
    }
    return { shot, embedding: await stages.embedStill(shot.aligned) };
  } catch (error) {
    wipe(shot);
    throw error;
  }
}

/** As exact as anybody wants to read it. */
function rounded(quality: FaceQuality): Record<string, number> {
  return Object.fromEntries(Object.entries(quality).map(([name, value]) => [name, Math.round(value * 100) / 100]));
}

function onlyFace(detections: readonly Detection[]): Detection {
  const [largest, ...others] = detections.toSorted((a, b) => b.box.width - a.box.width);
  if (largest === undefined) throw new SecureGateError('no_face', 'No face was found in this picture');
  const rivals = others.filter(({ box }) => box.width >= BACKGROUND_SHARE * largest.box.width);
  if (rivals.length > 0) {
    throw new SecureGateError('several_faces', 'It is not clear which of the faces is meant', { details: { faces: rivals.length + 1 } });
  }
  return largest;
}
