import { hash } from 'node:crypto';
import { hashLeaf } from '../crypto/merkle/hashes.ts';
import type { AuditEntry } from './audit-entry.ts';

/** An entry gets into the log as it is made: one that comes so much later was dated back. */
export const LONGEST_WAIT_MS = 600_000;

/** What the log holds of an entry: nothing of it can be found out from its leaf, also when the entry is erased. */
export interface SaltedEntry {
  readonly entry: AuditEntry;
  /** 32 random bytes. */
  readonly salt: Buffer;
  /** When it got its place in the log, milliseconds since the Unix epoch: never before the leaf before it. */
  readonly loggedAt: number;
}

/** Hash of the leaf of an entry (RFC 6962): of the time at which it was logged, and of a commitment to the entry, SHA-256 over salt and entry. */
export function leafHash({ entry, salt, loggedAt }: SaltedEntry): Buffer {
  const commitment = hash('sha256', Buffer.concat([salt, canonical({ ...entry })]), 'buffer').toString('base64url');
  return hashLeaf(canonical({ at: loggedAt, commitment }));
}

/** JSON Canonicalization Scheme (RFC 8785), which for one level of texts and whole numbers is the order of the names. */
function canonical(fields: Readonly<Record<string, string | number>>): Buffer {
  return Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(fields).toSorted(([one], [other]) => (one < other ? -1 : 1)))));
}
