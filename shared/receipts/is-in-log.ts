import type { AuditEntry } from '../audit/audit-entry.ts';
import { leafHash } from '../audit/leaf.ts';
import type { LogHead } from '../audit/log-tokens.ts';
import { verifyInclusion } from '../crypto/merkle/verify-inclusion.ts';
import type { LogPlace } from './receipt.ts';

/** Whether an entry is in the log at its place, under a head (RFC 6962). */
export function isInLog(entry: AuditEntry, { salt, loggedAt, leaf: index, proof }: LogPlace, { size, root, at }: LogHead): boolean {
  if (loggedAt > at) return false;
  const leaf = leafHash({ entry, salt: Buffer.from(salt, 'base64url'), loggedAt });
  const hashes = proof.map((hash) => Buffer.from(hash, 'base64url'));
  return verifyInclusion({ index, size, leaf, root: Buffer.from(root, 'base64url'), proof: hashes });
}
