import type { Enrolment } from '../../../shared/fleet/enrolment.ts';
import { followKeyChanges } from '../../../shared/lease/follow-key-changes.ts';

/** What the control plane signs by, as a box has pinned it. */
export type PinnedKeys = Pick<Enrolment, 'commandKeys' | 'leaseKeys' | 'auditKeys' | 'keyChanges'>;

/**
 * Follows changes of the keys that a box has pinned.
 * @param changes the KMS's words (key-change.ts), the first one first
 * @returns what it has to pin instead; undefined where nothing is new
 * @throws {SecureGateError} `key_change_rejected`
 */
export async function followKeys(pinned: PinnedKeys, changes: readonly string[]): Promise<PinnedKeys | undefined> {
  const commands = await followKeyChanges('commands', pinned.commandKeys, changes);
  const leases = await followKeyChanges('leases', pinned.leaseKeys, changes);
  const audit = await followKeyChanges('audit', pinned.auditKeys, changes);
  const followed = [commands, leases, audit].flatMap((one) => one.followed);
  if (followed.length === 0) return undefined;
  return {
    commandKeys: [...commands.keys],
    leaseKeys: [...leases.keys],
    auditKeys: [...audit.keys],
    keyChanges: [...pinned.keyChanges, ...followed],
  };
}
