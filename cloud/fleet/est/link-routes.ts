import type { Link } from '../../../shared/fleet/enrolment.ts';
import type { HttpApi } from '../../../shared/http/http-api.ts';
import { PINNED_USES } from '../../../shared/lease/key-change.ts';
import type { KmsClient } from '../../kms/client.ts';
import type { Admission } from '../enrolment/admission.ts';
import type { Enrolments } from '../enrolment/enrolments.ts';
import { shownCertificate } from './shown-certificate.ts';

export interface LinkContext {
  readonly enrolments: Enrolments;
  readonly admission: Admission;
  readonly kms: Pick<KmsClient, 'call'>;
  /** Where the broker is; null while there is none. */
  readonly mqtt: string | null;
}

/** What a box asks about itself, by a certificate that has not ended. */
export function addLinkRoutes(api: HttpApi, { enrolments, admission, kms, mqtt }: LinkContext): void {
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

  api.delete('/v1/link', async (request, reply) => {
    await enrolments.leave(shownCertificate(request), request.id);
    return reply.code(204).send();
  });
}
