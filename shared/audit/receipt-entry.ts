import type { AuditEntry } from './audit-entry.ts';

/** A statement that the control plane has signed and given to who asked for a shred or an erasure. */
export interface IssuedStatement {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly org: string;
  readonly tenant: string;
  /** Of the shred or the erasure. */
  readonly id: string;
  /** SHA-256 of the statement, base64url. */
  readonly digest: string;
}

export const RECEIPT_ISSUED = 'receipts.issue';

/** What the log says of it: whoever has the statement knows the entry, and so the leaf, but for the salt. */
export function receiptEntry({ at, org, tenant, id, digest }: IssuedStatement): AuditEntry {
  return { at, request: id, actor: '', operation: RECEIPT_ISSUED, org, tenant, target: id, outcome: 'done', evidence: digest };
}
