import { followAdmins } from '../../../shared/lease/follow-admins.ts';
import type { ToldRecoveries } from '../../../shared/lease/recovery.ts';
import { followRecovery } from './follow-recovery.ts';
import type { LinkFolder } from './link-folder.ts';

/**
 * Follows what the box was told of a lost HSM, whoever told it: a box that has pinned no keys of its org believes none that come this way.
 * @param now milliseconds since the Unix epoch
 * @throws {SecureGateError} `not_enrolled`, `admins_missing`, `admins_rejected`; `recovery_rejected` where one was not followed, but all others were
 */
export async function followRecoveries(folder: LinkFolder, { admins, recoveries }: ToldRecoveries, now: number): Promise<void> {
  const { org, admins: pinned } = folder.read();
  const followed = pinned && (await followAdmins(org, pinned, admins));
  if (followed !== pinned) folder.write({ ...folder.read(), admins: followed });
  const failures: unknown[] = [];
  for (const signed of recoveries) await followRecovery(folder, signed, now).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
