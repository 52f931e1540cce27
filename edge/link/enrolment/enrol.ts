import { createHash, X509Certificate } from 'node:crypto';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Enrolment } from '../../../shared/fleet/enrolment.ts';
import { parseEnrolmentToken } from '../../../shared/fleet/enrolment-token.ts';
import { followAdmins } from '../../../shared/lease/follow-admins.ts';
import { EstClient } from './est-client.ts';
import type { LinkFolder } from './link-folder.ts';
import { makeCertificateRequest } from './make-certificate-request.ts';
import { selfSigned } from './self-signed.ts';

export interface EnrolOptions {
  readonly folder: LinkFolder;
  readonly cloud: string;
  readonly token: string;
  /** Signs what the box says of itself, for the certificate request of this hash. */
  readonly state: (csr: string) => Promise<{ readonly statement: string; readonly fingerprint: string }>;
}

/**
 * Enrols the box. The token names the authority to believe, so that nobody between can take the place of the control plane. A crash on
 * the way loses nothing: the same token with the same key, which is on the disk before it is used, enrols again.
 * @throws {SecureGateError} `already_enrolled`, `enrolment_token_rejected`, `cloud_untrusted`, `cloud_unavailable`, and the control plane's own
 */
export async function enrol({ folder, cloud, token, state }: EnrolOptions): Promise<Enrolment> {
  folder.make();
  if (folder.find() !== undefined) throw new SecureGateError('already_enrolled', 'This box is enrolled');
  const parsed = parseEnrolmentToken(token);
  if (parsed === undefined) throw new SecureGateError('enrolment_token_rejected', 'This is no enrolment token');
  const pinned = await findPinned(cloud, parsed.authority);
  const key = folder.key.open();
  const { request, hash } = await makeCertificateRequest(key);
  const { statement, fingerprint } = await state(hash);
  const certificate = await new EstClient({ cloud, authorities: [pinned] }).enrol(token, statement, request);
  const client = new EstClient({ cloud, authorities: [pinned], credentials: { key, certificate } });
  // What came over the first connection could be anybody's; this one ends at the authority of the token.
  const authorities = selfSigned(await client.authorities());
  const link = await client.link();
  const admins = await followAdmins(link.org, null, link.admins);
  // What leads to the HSM of today is no news to this box. Told of it later, it would count on keys again that were changed since.
  const { recoveries } = await client.recoveries(undefined);
  const enrolment: Enrolment = { version: 1, cloud, certificate, authorities, fingerprint, ...link, recoveries, admins };
  folder.write(enrolment);
  return enrolment;
}

/** RFC 7030, 4.1.1: the authorities are fetched from anybody, and the right one is known by its fingerprint. */
async function findPinned(cloud: string, fingerprint: string): Promise<string> {
  const offered = await new EstClient({ cloud }).authorities();
  const pinned = offered.find((pem) => createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url') === fingerprint);
  if (pinned === undefined)
    throw new SecureGateError('cloud_untrusted', 'What answers there does not have the authority that the token names');
  return pinned;
}
