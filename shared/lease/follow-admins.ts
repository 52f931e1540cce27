import { SecureGateError } from '../errors/securegate-error.ts';
import type { AdminSet, SignedSet } from './admin-set.ts';
import { parseAdminSet, verifyAdminSet } from './verify-admin-set.ts';

/**
 * The admin keys of its org that a box pins. The first set that it is told is believed; each later one has to be signed as the KMS demands it,
 * so that whoever runs the cloud can put no keys of his own in their place.
 * @param pinned null on a box that was told of none
 * @param told every set of which the KMS has the signatures, the first one first
 * @throws {SecureGateError} `admins_rejected`
 */
export async function followAdmins(org: string, pinned: AdminSet | null, told: readonly SignedSet[]): Promise<AdminSet | null> {
  let present = pinned;
  for (const signed of told) {
    const set = parseAdminSet(signed);
    if (present === null) {
      if (set.org !== org) throw new SecureGateError('admins_rejected', 'It is of another org', { details: { org: set.org } });
      present = set;
    } else if (set.version > present.version) present = await verifyAdminSet(signed, org, present);
  }
  return present;
}
