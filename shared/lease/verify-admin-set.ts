import { SecureGateError } from '../errors/securegate-error.ts';
import { ADMIN_SET_TYPE, type AdminSet, adminSetSchema, type Quorum, type SignedSet } from './admin-set.ts';
import { isSignedByQuorum } from './signed-by-quorum.ts';

/**
 * Checks a set of admin keys that is to be pinned. The first one has to be signed by each of its own admin keys, which shows that
 * somebody holds them; a later one by the quorum of the admins, or of the recovery keys, of the set that counts now.
 * @throws {SecureGateError} `admins_rejected`
 */
export async function verifyAdminSet(signed: SignedSet, org: string, present: AdminSet | undefined): Promise<AdminSet> {
  const set = parseAdminSet(signed);
  const quorums = present ? [present.admins, present.recovery] : [everyOne(set.admins)];
  const approvals = await Promise.all(quorums.map((quorum) => isSignedByQuorum(signed, ADMIN_SET_TYPE, quorum)));
  if (!approvals.includes(true)) throw rejected('It is not signed by enough of the keys that count', set);
  if (set.org !== org) throw rejected('It is of another org', set);
  if (set.version !== (present?.version ?? 0) + 1) throw rejected('Its version does not follow the present one', set);
  return set;
}

/** What a set says, whoever signed it. @throws {SecureGateError} `admins_rejected` */
export function parseAdminSet({ payload }: SignedSet): AdminSet {
  try {
    return adminSetSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new SecureGateError('admins_rejected', 'This is not a set of admin keys', { cause });
  }
}

function everyOne({ keys }: Quorum): Quorum {
  return { keys, quorum: keys.length };
}

function rejected(message: string, { org, version }: AdminSet): SecureGateError {
  return new SecureGateError('admins_rejected', message, { details: { org, version } });
}
