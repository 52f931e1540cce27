import { SecureGateError } from '../errors/securegate-error.ts';
import type { AdminSet } from './admin-set.ts';
import { MOST_RECOVERY_SECONDS, RECOVERY_TYPE, type Recovery, recoverySchema, type SignedRecovery } from './recovery.ts';
import { isSignedByQuorum } from './signed-by-quorum.ts';

/** A box whose clock is a little behind is none of the attacks. */
const MOST_SKEW_S = 300;

/**
 * Checks that the recovery keys of an org want its tenants' keys handed over. The keys by which its admins work do not count here.
 * @param admins as they are pinned where it is checked
 * @param now milliseconds since the Unix epoch
 * @throws {SecureGateError} `recovery_rejected`
 */
export async function verifyRecovery(signed: SignedRecovery, admins: AdminSet, now: number): Promise<Recovery> {
  const recovery = parseRecovery(signed.payload);
  const { id, org, iat, exp } = recovery;
  const refusal = (message: string): SecureGateError => new SecureGateError('recovery_rejected', message, { details: { id, org } });
  if (!(await isSignedByQuorum(signed, RECOVERY_TYPE, admins.recovery))) throw refusal('It is not signed by enough of the recovery keys');
  if (org !== admins.org) throw refusal('It is of another org');
  if (exp - iat > MOST_RECOVERY_SECONDS) throw refusal('It would hold for too long');
  if (exp * 1000 <= now) throw refusal('It has ended');
  if (iat > now / 1000 + MOST_SKEW_S) throw refusal('It is from the future');
  return recovery;
}

/** What it says, whoever signed it. @throws {SecureGateError} `recovery_rejected` */
export function parseRecovery(payload: string): Recovery {
  try {
    return recoverySchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new SecureGateError('recovery_rejected', 'This is not a recovery of keys', { cause });
  }
}
