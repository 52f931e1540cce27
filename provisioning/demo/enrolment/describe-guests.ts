import type { Enrolment } from '../../../edge/enrolment.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { enrolmentPictures } from './enrolment-pictures.ts';
import { type Guest, guests } from './guests.ts';

/** A guest with pictures that are good enough to enrol, and what each comes to. */
export interface DescribedGuest extends Guest {
  readonly pictures: readonly Buffer[];
  readonly embeddings: readonly Float32Array[];
}

/**
 * Takes pictures of every guest and looks at them; nothing is stored.
 * @param photo file of a photograph by its number
 * @throws {SecureGateError} those of `Enrolment.describe`
 */
export async function describeGuests(enrolment: Enrolment, photo: (number: number) => string): Promise<DescribedGuest[]> {
  const described: DescribedGuest[] = [];
  for (const guest of guests()) described.push({ ...guest, ...(await usable(enrolment, await enrolmentPictures(guest.person, photo))) });
  return described;
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
