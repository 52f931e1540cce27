import type { Config } from '../../../edge/config/schema.ts';
import type { Enrolment } from '../../../edge/enrolment.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import { enrolmentPictures } from './enrolment-pictures.ts';
import { type Guest, guests } from './guests.ts';

/** A guest with all that must be found nowhere on the disk. */
export interface EnrolledGuest extends Guest {
  readonly customerId: string;
  readonly pictures: readonly Buffer[];
  readonly embeddings: readonly Float32Array[];
}

const DAY_MS = 86_400_000;

export interface EnrolOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** File of a photograph by its number. */
  readonly photo: (number: number) => string;
  readonly now: number;
}

/**
 * Enrols every guest at their venue, with a consent record that holds for a day.
 * @throws {SecureGateError} those of `openEnrolment` and `Enrolment.enrol`
 */
export async function enrolGuests({ config, logger, photo, now }: EnrolOptions): Promise<EnrolledGuest[]> {
  return withEnrolment(config, logger, async (enrolment) => {
    const enrolled: EnrolledGuest[] = [];
    for (const guest of guests()) {
      const { pictures, embeddings } = await usable(enrolment, await enrolmentPictures(guest.person, photo));
      const { customerId } = await enrolment.enrol({
        tenant: guest.tenant,
        name: guest.name,
        consent: {
          noticeVersion: 'demo-1',
          purpose: 'recognition at the entrance',
          givenAt: new Date(now).toISOString(),
          expiresAt: new Date(now + DAY_MS).toISOString(),
        },
        images: pictures,
      });
      enrolled.push({ ...guest, customerId, pictures, embeddings });
    }
    return enrolled;
  });
}

/** The pictures that are good enough: whoever enrols people takes another one of a head that was turned away. */
async function usable(enrolment: Enrolment, pictures: readonly Buffer[]): Promise<{ pictures: Buffer[]; embeddings: Float32Array[] }> {
  const good: { pictures: Buffer[]; embeddings: Float32Array[] } = { pictures: [], embeddings: [] };
  for (const picture of pictures) {
    try {
      good.embeddings.push((await enrolment.describe(picture)).embedding);
      good.pictures.push(picture);
    } catch (error) {
      if (!(error instanceof SecureGateError && error.code === 'poor_face')) throw error;
    }
  }
  return good;
}

/** Opens the data folder for enrolment while no daemon runs on it. */
export async function withEnrolment<T>(config: Config, logger: Logger, work: (enrolment: Enrolment) => Promise<T>): Promise<T> {
  const { openEnrolment } = await import('../../../edge/enrolment.ts');
  const enrolment = await openEnrolment(config, { logger });
  try {
    return await work(enrolment);
  } finally {
    await enrolment.close();
  }
}
