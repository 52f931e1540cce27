import type { Config } from '../../../edge/config/schema.ts';
import type { Enrolment } from '../../../edge/enrolment.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import { type DescribedGuest, describeGuests } from './describe-guests.ts';
import { guestConsent } from './guest-consent.ts';

/** A guest with all that must be found nowhere on the disk. */
export interface EnrolledGuest extends DescribedGuest {
  readonly customerId: string;
}

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
    for (const guest of await describeGuests(enrolment, photo)) {
      const { tenant, name, pictures: images } = guest;
      const { customerId } = await enrolment.enrol({ tenant, name, consent: guestConsent(now), images });
      enrolled.push({ ...guest, customerId });
    }
    return enrolled;
  });
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
