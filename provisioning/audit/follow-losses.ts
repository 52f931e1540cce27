import { isDeepStrictEqual } from 'node:util';
import { LOG_HEAD_TYPE, logHeadSchema, verifyLogToken } from '../../shared/audit/log-tokens.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { AdminSet } from '../../shared/lease/admin-set.ts';
import { adminsFingerprint } from '../../shared/lease/admins-fingerprint.ts';
import { followKeyChanges } from '../../shared/lease/follow-key-changes.ts';
import type { PublicKey } from '../../shared/lease/public-key.ts';
import type { SignedRecovery } from '../../shared/lease/recovery.ts';
import { parseRecovery, verifyRecovery } from '../../shared/lease/verify-recovery.ts';
import type { LogExport } from './log-export.ts';

/** What leads from one key to the next. */
type Told = Pick<LogExport, 'keyChanges' | 'recoveries' | 'orgKeys' | 'head'>;

/** That the key of the log went with its HSM, and on whose word another one counts. */
export interface Loss {
  /** Id of the recovery that the recovery keys of the org have signed. */
  readonly recovery: string;
  /** When it was drafted, milliseconds since the Unix epoch. */
  readonly at: number;
  /** By which the log is signed from there on, until its KMS says otherwise. */
  readonly key: PublicKey;
}

export interface FollowedLosses {
  /** The one that counts first. */
  readonly keys: readonly PublicKey[];
  readonly losses: readonly Loss[];
}

export interface Trusted {
  /** Pinned. */
  readonly key: PublicKey;
  /** When a head was signed by it that was seen, milliseconds since the Unix epoch: what was drafted before leads back to an HSM that is lost. */
  readonly seenAt: number;
  /** Fingerprint of the org's keys, from elsewhere; without it, nobody's word counts across a loss. */
  readonly orgKeys: string | undefined;
}

/**
 * Follows the key of the log: by the words of its KMS, and from one HSM to the next by what the org's recovery keys have signed.
 * @throws {SecureGateError} `key_change_rejected`, `recovery_rejected`
 */
export async function followLosses(log: Told, { key, seenAt, orgKeys }: Trusted): Promise<FollowedLosses> {
  // In the order that the org has signed: whoever tells them could put one last that leads to an HSM which was lost since.
  const recoveries = log.recoveries
    .filter((signed) => draftedAt(signed) > seenAt)
    .toSorted((one, other) => draftedAt(one) - draftedAt(other));
  if (recoveries.length === 0 || (await isFollowed(log, key))) {
    return { keys: (await followKeyChanges('audit', [key], log.keyChanges)).keys, losses: [] };
  }
  const admins = requireCompared(log.orgKeys, orgKeys);
  let { keys, left } = await followUntilLost([key], log.keyChanges);
  const losses: Loss[] = [];
  for (const signed of recoveries) {
    const { id, iat, keys: signing } = await verifyRecovery(signed, admins, draftedAt(signed));
    // Another one that leads to the same HSM.
    if (keys.some((one) => isDeepStrictEqual(one, signing.audit))) continue;
    ({ keys, left } = await followUntilLost([signing.audit, ...keys], left));
    losses.push({ recovery: id, at: iat * 1000, key: signing.audit });
  }
  return { keys: (await followKeyChanges('audit', keys, left)).keys, losses };
}

/** Follows words up to the first one that the key which counts has not signed: that may be of the next HSM. */
async function followUntilLost(
  keys: readonly PublicKey[],
  words: readonly string[],
): Promise<{ keys: readonly PublicKey[]; left: readonly string[] }> {
  for (let count = words.length; count > 0; count -= 1) {
    try {
      return { keys: (await followKeyChanges('audit', keys, words.slice(0, count))).keys, left: words.slice(count) };
    } catch (error) {
      if (SecureGateError.from(error).code !== 'key_change_rejected') throw error;
    }
  }
  return { keys, left: words };
}

/** Whether the words of the KMS alone lead to the key that signed the head: then no HSM was lost since. */
async function isFollowed({ head, keyChanges }: Told, key: PublicKey): Promise<boolean> {
  try {
    const { keys } = await followKeyChanges('audit', [key], keyChanges);
    await verifyLogToken(head, LOG_HEAD_TYPE, logHeadSchema, keys.slice(0, 1));
    return true;
  } catch {
    return false;
  }
}

function requireCompared(told: AdminSet | null, orgKeys: string | undefined): AdminSet {
  if (told !== null && adminsFingerprint(told) === orgKeys) return told;
  throw new SecureGateError(
    'recovery_rejected',
    'The key of the log is said to be lost with its HSM. Whether the org wanted another one shows with --org-keys, as `securegate org-keys pin` told it',
    { details: { told: told && adminsFingerprint(told) } },
  );
}

/** That it has ended since changes nothing of what it said. */
function draftedAt({ payload }: SignedRecovery): number {
  return parseRecovery(payload).iat * 1000;
}
