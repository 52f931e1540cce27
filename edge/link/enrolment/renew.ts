import { isDeepStrictEqual } from 'node:util';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { followAdmins } from '../../../shared/lease/follow-admins.ts';
import { EstClient } from './est-client.ts';
import { followKeys } from './follow-keys.ts';
import type { LinkFolder } from './link-folder.ts';
import { makeCertificateRequest } from './make-certificate-request.ts';
import { selfSigned } from './self-signed.ts';

/**
 * Fetches a new certificate for the key of the box, and with it what has changed: authorities, the broker, the admin keys of the org, keys of the control plane
 * where those that are pinned have signed their change.
 * @throws {SecureGateError} `not_enrolled`, `cloud_unavailable`, `certificate_rejected`, `device_denied`; `admins_rejected` and `key_change_rejected` where the
 * box has its new certificate, and counts on the keys that it had
 */
export async function renew(folder: LinkFolder): Promise<void> {
  const enrolment = folder.read();
  const { cloud, authorities } = enrolment;
  const key = folder.key.open();
  const { request } = await makeCertificateRequest(key);
  const certificate = await new EstClient({ cloud, authorities, credentials: { key, certificate: enrolment.certificate } }).renew(request);
  const client = new EstClient({ cloud, authorities, credentials: { key, certificate } });
  const { keyChanges, commandKeys, leaseKeys, auditKeys, admins, ...link } = await client.link();
  const renewed = { ...link, certificate, authorities: selfSigned(await client.authorities()) };
  folder.write({ ...folder.read(), ...renewed });
  // Each time it is read anew what is there: others write as well.
  const followedAdmins = await followAdmins(enrolment.org, enrolment.admins, admins);
  folder.write({ ...folder.read(), admins: followedAdmins });
  const before = folder.read();
  // A box that enrolled before there was a log was told no key for it, and believes the first.
  const pinned = before.auditKeys.length === 0 ? { ...before, auditKeys } : before;
  const learned = await followKeys(pinned, keyChanges);
  const followed = { ...folder.read(), auditKeys: pinned.auditKeys, ...learned };
  folder.write(followed);
  const told = [commandKeys, leaseKeys, auditKeys].map(([first]) => first);
  const counts = [followed.commandKeys, followed.leaseKeys, followed.auditKeys].map(([first]) => first);
  if (!isDeepStrictEqual(told, counts)) {
    throw new SecureGateError('key_change_rejected', 'The control plane signs with keys that those before have not signed');
  }
}
