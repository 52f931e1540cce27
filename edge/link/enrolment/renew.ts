import { followAdmins } from '../../../shared/lease/follow-admins.ts';
import { EstClient } from './est-client.ts';
import type { LinkFolder } from './link-folder.ts';
import { makeCertificateRequest } from './make-certificate-request.ts';
import { selfSigned } from './self-signed.ts';

/**
 * Fetches a new certificate for the key of the box, and with it what has changed: authorities, keys of the control plane, the broker.
 * @throws {SecureGateError} `not_enrolled`, `cloud_unavailable`, `certificate_rejected`, `device_denied`, `admins_rejected`
 */
export async function renew(folder: LinkFolder): Promise<void> {
  const enrolment = folder.read();
  const { cloud, authorities } = enrolment;
  const key = folder.key.open();
  const { request } = await makeCertificateRequest(key);
  const certificate = await new EstClient({ cloud, authorities, credentials: { key, certificate: enrolment.certificate } }).renew(request);
  const client = new EstClient({ cloud, authorities, credentials: { key, certificate } });
  const link = await client.link();
  const admins = await followAdmins(enrolment.org, enrolment.admins, link.admins);
  folder.write({ ...enrolment, ...link, admins, certificate, authorities: selfSigned(await client.authorities()) });
}
