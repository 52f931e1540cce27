import { calculateJwkThumbprint, type FlattenedJWSInput, flattenedVerify, importJWK } from 'jose';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { ADMIN_SET_TYPE, type AdminSet, adminSetSchema, type Quorum, type SignedSet } from '../../../shared/lease/admin-set.ts';

/**
 * Checks a set of admin keys that is to be pinned. The first one has to be signed by each of its own admin keys, which shows that
 * somebody holds them; a later one by the quorum of the admins, or of the recovery keys, of the set that counts now.
 * @throws {SecureGateError} `admins_rejected`
 */
export async function verifyAdminSet(signed: SignedSet, org: string, present: AdminSet | undefined): Promise<AdminSet> {
  const set = parseSet(signed.payload);
  const signers = await signersOf(signed, present ?? set);
  const approved = present ? meets(signers, present.admins) || meets(signers, present.recovery) : meets(signers, everyOne(set.admins));
  if (!approved) throw rejected('It is not signed by enough of the keys that count', set);
  if (set.org !== org) throw rejected('It is of another org', set);
  if (set.version !== (present?.version ?? 0) + 1) throw rejected('Its version does not follow the present one', set);
  return set;
}

function parseSet(payload: string): AdminSet {
  try {
    return adminSetSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new SecureGateError('admins_rejected', 'This is not a set of admin keys', { cause });
  }
}

/** Those keys of the set that count and signed, each once. */
async function signersOf({ payload, signatures }: SignedSet, { admins, recovery }: AdminSet): Promise<Set<string>> {
  const known = [...admins.keys, ...recovery.keys];
  const signers = new Set<string>();
  for (const signature of signatures) {
    for (const key of known) if (await signed({ payload, ...signature }, key)) signers.add(idOf(key));
  }
  return signers;
}

async function signed(jws: FlattenedJWSInput, key: Quorum['keys'][number]): Promise<boolean> {
  try {
    const { protectedHeader } = await flattenedVerify(jws, await importJWK(key, 'ES256'), { algorithms: ['ES256'] });
    return protectedHeader?.typ === ADMIN_SET_TYPE && protectedHeader.kid === (await calculateJwkThumbprint(key));
  } catch {
    return false;
  }
}

function meets(signers: ReadonlySet<string>, { keys, quorum }: Quorum): boolean {
  return keys.filter((key) => signers.has(idOf(key))).length >= quorum;
}

function everyOne({ keys }: Quorum): Quorum {
  return { keys, quorum: keys.length };
}

function idOf({ x, y }: Quorum['keys'][number]): string {
  return `${x}.${y}`;
}

function rejected(message: string, { org, version }: AdminSet): SecureGateError {
  return new SecureGateError('admins_rejected', message, { details: { org, version } });
}
