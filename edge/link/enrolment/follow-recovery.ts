import { isDeepStrictEqual } from 'node:util';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Recovery, SignedRecovery } from '../../../shared/lease/recovery.ts';
import { verifyRecovery } from '../../../shared/lease/verify-recovery.ts';
import type { LinkFolder } from './link-folder.ts';

/**
 * Has the box believe another HSM, where the recovery keys of its org have signed that. What it believed before counts beside it, since leases
 * and the log were signed by that.
 * @param now milliseconds since the Unix epoch
 * @throws {SecureGateError} `not_enrolled`, `admins_missing`, `recovery_rejected`
 */
export async function followRecovery(folder: LinkFolder, signed: SignedRecovery, now: number): Promise<Recovery> {
  const enrolment = folder.read();
  const { org, admins, commandKeys, leaseKeys, auditKeys, authorities } = enrolment;
  if (admins === null) throw new SecureGateError('admins_missing', 'This box was never told the keys of its org', { details: { org } });
  const recovery = await verifyRecovery(signed, admins, now);
  folder.write({
    ...enrolment,
    commandKeys: withFirst(commandKeys, [recovery.keys.commands]),
    leaseKeys: withFirst(leaseKeys, [recovery.keys.leases]),
    auditKeys: withFirst(auditKeys, [recovery.keys.audit]),
    authorities: withFirst(authorities, recovery.authorities),
  });
  return recovery;
}

function withFirst<Item>(known: readonly Item[], added: readonly Item[]): Item[] {
  return [...added, ...known.filter((one) => !added.some((other) => isDeepStrictEqual(one, other)))];
}
