import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { followedFrom, followLog, forksSince } from '../../shared/audit/follow-log.ts';
import { LONGEST_WAIT_MS, leafHash } from '../../shared/audit/leaf.ts';
import {
  LOG_HEAD_TYPE,
  type LogFork,
  type LogHead,
  logHeadSchema,
  logTokenSchema,
  readFork,
  readHead,
  verifyCosignature,
  verifyLogToken,
} from '../../shared/audit/log-tokens.ts';
import { proveConsistency } from '../../shared/crypto/merkle/prove-consistency.ts';
import { type ReadNode, rangeRoot } from '../../shared/crypto/merkle/range-root.ts';
import { nodesOfTiles } from '../../shared/crypto/merkle/tiles.ts';
import type { ErrorCode } from '../../shared/errors/codes.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { type PublicKey, publicKeySchema } from '../../shared/lease/public-key.ts';
import { followLosses, type Loss } from './follow-losses.ts';
import type { ExportedEntry, LogExport } from './log-export.ts';
import { tilesOf } from './tiles-of.ts';

/** What another part of the deployment wrote down comes when it is fetched. */
const COMES_LATER = 'kms.';

/** What is kept of a log that was checked, for the next time. */
export const seenLogSchema = z.strictObject({
  version: z.literal(1),
  org: z.string(),
  key: publicKeySchema,
  head: logTokenSchema,
  /** How many entries of the org were under it. */
  entries: z.int(),
});
export type SeenLog = z.output<typeof seenLogSchema>;

export interface VerifiedLog {
  readonly head: LogHead;
  /** Declared since the last time. */
  readonly forks: readonly LogFork[];
  /** Each time that the key went with an HSM since the one that is pinned. */
  readonly losses: readonly Loss[];
  /** The boxes that have signed this log. */
  readonly witnesses: readonly string[];
  readonly seen: SeenLog;
}

/**
 * Checks what a control plane tells of its log, with nothing but its public key: that its head is signed, that it holds every leaf of the log
 * that was seen the last time, that boxes saw no other one, and that each entry of the org is what one of its leaves was made of.
 * @param key pinned; the log follows its changes
 * @param seen from the last time
 * @param orgKeys fingerprint of the org's keys: on their word alone the log goes on by another key where an HSM was lost
 * @throws {SecureGateError} `log_head_rejected`, `key_change_rejected`, `recovery_rejected`, `log_forked`, `log_truncated`, `log_backdated`, `log_entry_rejected`, `log_entry_missing`
 */
export async function verifyLog(log: LogExport, key: PublicKey, seen: SeenLog | undefined, orgKeys?: string): Promise<VerifiedLog> {
  const { keys, losses } = await followLosses(log, {
    key,
    seenAt: seen && isDeepStrictEqual(seen.key, key) ? readHead(seen.head).at : 0,
    orgKeys,
  });
  // One that was seen to count is not given up for an earlier one.
  if (seen && !keys.some((one) => isDeepStrictEqual(one, seen.key))) {
    throw refusal('log_head_rejected', { reason: 'another key counted the last time' });
  }
  const { size, root } = await verifyLogToken(log.head, LOG_HEAD_TYPE, logHeadSchema, keys.slice(0, 1));
  const leaves = log.leaves.map((leaf) => Buffer.from(leaf, 'base64url'));
  const nodes = nodesOfTiles(await tilesOf(leaves));
  if (leaves.length !== size || (await rangeRoot(nodes, 0, size)).toString('base64url') !== root) {
    throw new SecureGateError('log_forked', 'The leaves are not those that were signed');
  }
  const kept = seen && (await verifyLogToken(seen.head, LOG_HEAD_TYPE, logHeadSchema, keys));
  const since = kept === undefined ? [] : forksSince(kept.log, log.forks);
  const from = kept && followedFrom(kept, since.map(readFork)).size;
  const proof = from === undefined || from === 0 || from > size ? [] : await proveConsistency(nodes, from, size);
  const update = { head: log.head, forks: since, proof: proof.map((hash) => hash.toString('base64url')), keyChanges: [] };
  const { head, forks } = await followLog(seen?.head, update, keys);
  verifyEntries(log, leaves);
  verifyTimes(log.entries, kept && forks.length === 0 ? [kept, head] : [head]);
  const witnesses = await verifyWitnesses(log.cosignatures, head, nodes);
  const still = log.entries.filter(({ leaf }) => kept && leaf < kept.size).length;
  if (seen && forks.length === 0 && still < seen.entries) throw refusal('log_entry_missing', { missing: seen.entries - still });
  const seenNow: SeenLog = { version: 1, org: log.org, key: keys[0] ?? key, head: log.head, entries: log.entries.length };
  return { head, forks, losses, witnesses, seen: seenNow };
}

function verifyEntries({ org, entries }: LogExport, leaves: readonly Buffer[]): void {
  let last = -1;
  for (const { leaf, at, request, actor, operation, tenant, target, outcome, evidence, loggedAt, salt } of entries) {
    const known = {
      request,
      actor: actor ?? '',
      operation,
      org,
      tenant: tenant ?? '',
      target: target ?? '',
      outcome,
      evidence: evidence ?? '',
    };
    const salted = { entry: { at: Date.parse(at), ...known }, salt: Buffer.from(salt, 'base64url'), loggedAt: Date.parse(loggedAt) };
    if (leaf <= last || !leaves[leaf]?.equals(leafHash(salted))) throw refusal('log_entry_rejected', { leaf });
    last = leaf;
  }
}

/** @param heads each is later than all that is under it, and not later than what is not */
function verifyTimes(entries: readonly ExportedEntry[], heads: readonly LogHead[]): void {
  let last = 0;
  for (const { leaf, at, loggedAt, operation } of entries) {
    const [said, logged] = [Date.parse(at), Date.parse(loggedAt)];
    const isBetween = heads.every((head) => (leaf < head.size ? logged <= head.at : logged >= head.at));
    const isLate = logged - said > LONGEST_WAIT_MS && !operation.startsWith(COMES_LATER);
    if (logged < last || !isBetween || isLate) throw refusal('log_backdated', { leaf });
    last = logged;
  }
}

/** A box that was shown another log than this one has signed another root. Its own key is in what it signed. */
async function verifyWitnesses(cosignatures: readonly string[], head: LogHead, nodes: ReadNode): Promise<string[]> {
  const witnesses: string[] = [];
  for (const token of cosignatures) {
    const { sub, log, size, root } = await verifyCosignature(token);
    // Of the log before a declared fork, or newer than this head.
    if (log !== head.log || size > head.size) continue;
    if ((await rangeRoot(nodes, 0, size)).toString('base64url') !== root) throw refusal('log_forked', { device: sub });
    witnesses.push(sub);
  }
  return witnesses;
}

function refusal(code: ErrorCode, details: Record<string, unknown>): SecureGateError {
  return new SecureGateError(code, 'What is told of the log is not what is in it', { details });
}
