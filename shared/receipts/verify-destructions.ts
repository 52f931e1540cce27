import { kmsEntry } from '../audit/kms-entry.ts';
import { LONGEST_WAIT_MS } from '../audit/leaf.ts';
import type { LogHead } from '../audit/log-tokens.ts';
import { SecureGateError } from '../errors/securegate-error.ts';
import { isInLog } from './is-in-log.ts';
import type { LoggedDestruction, ProvedReceipt, Statement } from './receipt.ts';

/** What a statement says of keys. Times are ISO 8601. */
interface Claim {
  /** Null: all keys of the tenant. */
  readonly epoch: number | null;
  readonly destroyedAt: string;
  readonly unrecoverableFrom: string | null;
}

/**
 * Checks that the KMS said of all keys that a statement calls destroyed that it has destroyed them, that this is in the log, and that it was
 * there by the time that the statement names.
 * @returns the destructions on which the statement rests
 * @throws {SecureGateError} `receipt_rejected`
 */
export function verifyDestructions(
  said: Statement,
  destructions: ProvedReceipt['destructions'],
  head: LogHead,
): readonly LoggedDestruction[] {
  return claimsOf(said).map((claim) => {
    const proof = destructions.find((one) => proves(said, claim, one, head));
    if (proof !== undefined) return proof;
    throw new SecureGateError('receipt_rejected', 'That these keys were destroyed is not in the log', {
      details: { epoch: claim.epoch, destroyedAt: claim.destroyedAt },
    });
  });
}

function claimsOf(said: Statement): Claim[] {
  const keys = said.kind === 'shred' ? [{ ...said, epoch: null }] : said.epochs;
  return keys.flatMap(({ epoch, destroyedAt, unrecoverableFrom }) =>
    destroyedAt === null ? [] : [{ epoch, destroyedAt, unrecoverableFrom }],
  );
}

function proves(said: Statement, claim: Claim, { epoch, at, call, evidence, ...place }: LoggedDestruction, head: LogHead): boolean {
  if (epoch !== null && epoch !== claim.epoch) return false;
  const earliest = place.loggedAt - LONGEST_WAIT_MS;
  const times = [claim.destroyedAt, ...(claim.unrecoverableFrom === null ? [] : [claim.unrecoverableFrom])];
  if (times.some((time) => Date.parse(time) < earliest)) return false;
  const about = epoch === null ? { operation: 'destroyTenant', target: '' } : { operation: 'destroyEpoch', target: String(epoch) };
  const { org, tenant } = said;
  return isInLog(kmsEntry({ at, call, ...about, org, tenant, outcome: 'done', evidence }), place, head);
}
