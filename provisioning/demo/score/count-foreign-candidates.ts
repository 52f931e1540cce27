import type { Config } from '../../../edge/config/schema.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import { type EnrolledGuest, withEnrolment } from '../enrolment/enrol-guests.ts';
import { TENANTS } from '../footage/script.ts';

/** More than a tenant has faces: every candidate there is. */
const LIMIT = 32;

/**
 * Searches every enrolled face in every tenant's vault.
 * @returns how many candidates are no customers of the tenant that was searched
 * @throws {SecureGateError} those of `openEnrolment` and `Enrolment.search`
 */
export async function countForeignCandidates(config: Config, logger: Logger, enrolled: readonly EnrolledGuest[]): Promise<number> {
  return withEnrolment(config, logger, async (enrolment) => {
    let foreign = 0;
    for (const tenant of TENANTS) {
      const own = new Set(enrolled.filter((guest) => guest.tenant === tenant).map(({ customerId }) => customerId));
      for (const embedding of enrolled.flatMap(({ embeddings }) => embeddings)) {
        for (const { customerId } of await enrolment.search(tenant, embedding, LIMIT)) if (!own.has(customerId)) foreign += 1;
      }
    }
    return foreign;
  });
}
