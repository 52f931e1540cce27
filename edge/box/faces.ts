import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { DescribedPicture, FacesPort } from '../api/ports.ts';
import { encodeJpeg } from '../media/encode-jpeg.ts';
import { describeStill } from '../pipeline/describe-still.ts';
import { ENROLMENT_LIMITS } from '../pipeline/face/quality-limits.ts';
import { rejectionsOf } from '../pipeline/face/rejections-of.ts';
import type { FaceShot } from '../pipeline/frame.ts';
import { wipe } from '../pipeline/sighting/dossier.ts';
import type { StillPurpose } from '../pipeline/stage-tasks.ts';
import type { BestShots } from './best-shots.ts';
import type { RunningModels } from './running-models.ts';

export interface FacesOptions {
  readonly models: RunningModels;
  readonly bestShots: BestShots;
  /** The tenant's own threshold. @throws {SecureGateError} `tenant_not_found` */
  readonly matchThreshold: (tenant: string) => number | null;
}

/** What the models say of single faces: of pictures that are sent in, and of sightings whose best shot is still in memory. */
export class Faces implements FacesPort {
  readonly #options: FacesOptions;

  constructor(options: FacesOptions) {
    this.#options = options;
  }

  get model(): string {
    return this.#options.models.now.models.embedder;
  }

  async describe(image: Buffer, purpose: StillPurpose): Promise<DescribedPicture> {
    const { shot, embedding } = await this.#options.models.use(({ stages }) => describeStill(stages, image, purpose));
    try {
      return await this.#described(shot, embedding);
    } finally {
      wipe(shot);
    }
  }

  /**
   * A sighting's face to be enrolled: the same limits hold as for a picture that is sent in.
   * @throws {SecureGateError} `sighting_gone`, `poor_face` with its reasons
   */
  async ofSighting(tenant: string, sightingId: string): Promise<DescribedPicture> {
    const shot = this.#options.bestShots.take(tenant, sightingId);
    if (shot === undefined) throw new SecureGateError('sighting_gone', 'The picture of this sighting is no longer in memory');
    try {
      const reasons = rejectionsOf(shot.quality, shot.points, ENROLMENT_LIMITS);
      if (reasons.length > 0) {
        throw new SecureGateError('poor_face', `The face is not good enough: ${reasons.join(', ')}`, {
          details: { reasons, quality: shot.quality },
        });
      }
      return await this.#described(shot, await this.#options.models.use(({ stages }) => stages.embedStill(shot.aligned)));
    } finally {
      wipe(shot);
    }
  }

  /** The aligned face of a sighting (JPEG); undefined when it is no longer in memory. */
  async pictureOf(tenant: string, sightingId: string): Promise<Buffer | undefined> {
    const shot = this.#options.bestShots.take(tenant, sightingId);
    if (shot === undefined) return undefined;
    try {
      return await pictureOf(shot);
    } finally {
      wipe(shot);
    }
  }

  threshold(tenant: string): number {
    return this.#options.matchThreshold(tenant) ?? this.#options.models.now.matchThreshold;
  }

  async #described(shot: FaceShot, embedding: Float32Array): Promise<DescribedPicture> {
    try {
      return { embedding, quality: shot.quality, model: this.model, picture: await pictureOf(shot) };
    } catch (error) {
      embedding.fill(0);
      throw error;
    }
  }
}

/** The aligned face as a JPEG. */
async function pictureOf({ aligned }: FaceShot): Promise<Buffer> {
  return (await encodeJpeg(aligned, aligned.width)).jpeg;
}
