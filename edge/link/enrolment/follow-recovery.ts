import { isDeepStrictEqual } from 'node:util';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Enrolment } from '../../../shared/fleet/enrolment.ts';
import type { Recovery, SignedRecovery } from '../../../shared/lease/recovery.ts';
import { verifyRecovery } from '../../../shared/lease/verify-recovery.ts';
import type { LinkFolder } from './link-folder.ts';
import { newestRecovery } from './newest-recovery.ts';

/**
 * Has the box believe another HSM, where the recovery keys of its org have signed that. What it believed before counts beside it, since leases
 * and the log were signed by that. The HSM to which an earlier recovery leads is itself lost by now: who brings that again gets nothing by it.
 * @param now milliseconds since the Unix epoch
 * @throws {SecureGateError} `not_enrolled`, `admins_missing`, `recovery_rejected`
 */
export async function followRecovery(folder: LinkFolder, signed: SignedRecovery, now: number): Promise<Recovery> {
  const { org, admins } = folder.read();
  if (admins === null) throw new SecureGateError('admins_missing', 'This box was never told the keys of its org', { details: { org } });
  const recovery = await verifyRecovery(signed, admins, now);
  // Others write it, too: what it holds is read and written without a pause between.
  const enrolment = folder.read();
  const newest = newestRecovery(enrolment.recoveries);
  const isNewer = newest === undefined || recovery.iat > newest.iat;
  if (!isNewer && recovery.transport.key !== newest.transport.key) {
    throw new SecureGateError('recovery_rejected', 'This box has followed a later one, which leads to another HSM', {
      details: { id: recovery.id, followed: newest.id },
    });
  }
  if (enrolment.recoveries.some(({ payload }) => payload === signed.payload)) return recovery;
  const believed = isNewer ? believing(enrolment, recovery) : {};
  folder.write({ ...enrolment, ...believed, recoveries: [...enrolment.recoveries, signed] });
  return recovery;
}

function believing(
  { commandKeys, leaseKeys, auditKeys, authorities }: Enrolment,
  { keys, authorities: added }: Recovery,
): Partial<Enrolment> {
  return {
    commandKeys: withFirst(commandKeys, [keys.commands]),
    leaseKeys: withFirst(leaseKeys, [keys.leases]),
    auditKeys: withFirst(auditKeys, [keys.audit]),
    authorities: withFirst(authorities, added),
  };
}

/** What is known stays in its place: its HSM may have changed the key since. */
function withFirst<Item>(known: readonly Item[], added: readonly Item[]): Item[] {
  return [...added.filter((one) => !known.some((other) => isDeepStrictEqual(one, other))), ...known];
}
