import { z } from 'zod';
import { verifyConsistency } from '../crypto/merkle/verify-consistency.ts';
import { SecureGateError } from '../errors/securegate-error.ts';
import { followKeyChanges } from '../lease/follow-key-changes.ts';
import { keyChangesSchema } from '../lease/key-change.ts';
import type { PublicKey } from '../lease/public-key.ts';
import {
  hashSchema,
  LOG_FORK_TYPE,
  LOG_HEAD_TYPE,
  type LogFork,
  type LogHead,
  logForkSchema,
  logHeadSchema,
  logTokenSchema,
  readFork,
  verifyLogToken,
} from './log-tokens.ts';

const MOST_FORKS = 32;
/** Of a tree with more leaves than a number can count. */
export const LONGEST_PROOF = 64;

/** What the control plane tells somebody who follows its log. */
export const logUpdateSchema = z.strictObject({
  head: logTokenSchema,
  /** Every fork between the log that he followed and this one, the first one first. */
  forks: z.array(logTokenSchema).max(MOST_FORKS),
  /** That the tree of the head goes on where the one ended from which he follows it ({@link followedFrom}). */
  proof: z.array(hashSchema).max(LONGEST_PROOF),
  /** How the key has changed by which heads are signed, up to the one that signed this head. */
  keyChanges: keyChangesSchema.default([]),
});
export type LogUpdate = z.output<typeof logUpdateSchema>;

export interface Followed {
  readonly head: LogHead;
  /** Declared since the last head: reasons to ask why. */
  readonly forks: readonly LogFork[];
  /** By which the control plane signs heads: the one that counts first. */
  readonly keys: readonly PublicKey[];
  /** The words on changes that led there. */
  readonly keyChanges: readonly string[];
}

/**
 * Checks that a log still is the one whose head somebody keeps, with nothing of it changed, and more at its end.
 * @param kept the last head that he saw, signed; undefined for the first, which is believed
 * @param pinned keys by which the control plane signs heads, the one that counts first
 * @throws {SecureGateError} `log_head_rejected`, `key_change_rejected`, `log_forked`, `log_truncated`, `log_backdated`
 */
export async function followLog(kept: string | undefined, update: LogUpdate, pinned: readonly PublicKey[]): Promise<Followed> {
  const { keys, followed: keyChanges } = await followKeyChanges('audit', pinned, update.keyChanges);
  // What another key has signed before holds on, and that is all.
  const head = await verifyLogToken(update.head, LOG_HEAD_TYPE, logHeadSchema, update.head === kept ? keys : keys.slice(0, 1));
  if (kept === undefined) return { head, forks: [], keys, keyChanges };
  const before = await verifyLogToken(kept, LOG_HEAD_TYPE, logHeadSchema, keys);
  const forks = await Promise.all(update.forks.map((fork) => verifyLogToken(fork, LOG_FORK_TYPE, logForkSchema, keys)));
  const logs = [before.log, ...forks.map(({ log }) => log)];
  if (logs.at(-1) !== head.log || forks.some(({ of }, index) => of !== logs[index])) throw refusal('log_forked', before, head);
  const from = followedFrom(before, forks);
  if (head.size < from.size) throw refusal('log_truncated', before, head);
  const [one, other] = [from, head].map(({ size, root }) => ({ size, root: Buffer.from(root, 'base64url') })) as [Root, Root];
  const proof = update.proof.map((hash) => Buffer.from(hash, 'base64url'));
  if (!verifyConsistency(one, other, proof)) throw refusal('log_forked', before, head);
  if (head.at < before.at) throw refusal('log_backdated', before, head);
  return { head, forks, keys, keyChanges };
}

type Root = Parameters<typeof verifyConsistency>[0];

/** Of all forks, those that lead on from a log. @param forks the first one first */
export function forksSince(log: string, forks: readonly string[]): string[] {
  const first = forks.findIndex((fork) => readFork(fork).of === log);
  return first === -1 ? [] : forks.slice(first);
}

/** From where a log has to go on: its last head, or the fork before which least of it was left. */
export function followedFrom(kept: LogHead, forks: readonly LogFork[]): Pick<LogHead, 'size' | 'root'> {
  return forks.reduce<Pick<LogHead, 'size' | 'root'>>((from, fork) => (fork.size < from.size ? fork : from), kept);
}

function refusal(code: 'log_forked' | 'log_truncated' | 'log_backdated', kept: LogHead, offered: LogHead): SecureGateError {
  return new SecureGateError(code, 'This is not the log that was here before', { details: { kept, offered } });
}
