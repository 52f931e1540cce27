import { z } from 'zod';
import type { Link } from '../../../shared/fleet/enrolment.ts';
import type { HttpApi } from '../../../shared/http/http-api.ts';
import { ulidSchema } from '../../../shared/ids/ulid.ts';
import { PINNED_USES } from '../../../shared/lease/key-change.ts';
import type { ToldRecoveries } from '../../../shared/lease/recovery.ts';
import type { KmsClient } from '../../kms/client.ts';
import type { Admission } from '../enrolment/admission.ts';
import { type Enrolments, GRACE_MS } from '../enrolment/enrolments.ts';
import type { Recoveries } from '../recoveries.ts';
import { shownCertificate } from './shown-certificate.ts';

export interface LinkContext {
  readonly enrolments: Enrolments;
  readonly admission: Admission;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly recoveries: Pick<Recoveries, 'later'>;
  /** Where the broker is; null while there is none. */
  readonly mqtt: string | null;
}

/** What a box asks about itself, by its certificate. */
export function addLinkRoutes(api: HttpApi, { enrolments, admission, kms, recoveries, mqtt }: LinkContext): void {
  api.get('/v1/link', async (request): Promise<Link> => {
    const { id, org, name, state } = await admission.admit(shownCertificate(request));
    const [commands, leases] = [await kms.call('signingKey', { use: 'commands' }), await kms.call('signingKey', { use: 'leases' })];
    const audit = await kms.call('signingKey', { use: 'audit' });
    const histories = await Promise.all(PINNED_USES.map((use) => kms.call('keyHistory', { use })));
    const keyChanges = histories.flatMap(({ changes }) => changes);
    const admins = await kms.call('signedAdmins', { org });
    const keys = { commandKeys: [commands], leaseKeys: [leases], auditKeys: [audit], keyChanges };
    return { device: id, org, name, state, mqtt, ...keys, admins };
  });

  // A box that comes here does not believe this server, and its certificate may have ended while it was away: it can renew it after this.
  api.get(
    '/v1/link/recoveries',
    { schema: { querystring: z.strictObject({ followed: ulidSchema.optional() }) } },
    async (request): Promise<ToldRecoveries> => {
      const { org } = await admission.admit(shownCertificate(request), GRACE_MS);
      return (await recoveries.later(org, request.query.followed)) ?? { admins: [], recoveries: [] };
    },
  );

  api.delete('/v1/link', async (request, reply) => {
    await enrolments.leave(shownCertificate(request), request.id);
    return reply.code(204).send();
  });
}
