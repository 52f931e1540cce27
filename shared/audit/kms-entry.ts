import type { AuditEntry } from './audit-entry.ts';

/** What the KMS says that it did, as its own audit has it. */
export interface KmsDeed {
  /** When it answered, milliseconds since the Unix epoch, by its own clock. */
  readonly at: number;
  readonly call: string;
  readonly operation: string;
  readonly org: string;
  readonly tenant: string;
  readonly target: string;
  readonly outcome: string;
  /** SHA-256 of its line, base64url. */
  readonly evidence: string;
}

export const KMS_ACTOR = 'kms';

/** What the log says of it. */
export function kmsEntry({ call, operation, ...deed }: KmsDeed): AuditEntry {
  return { ...deed, request: call, actor: KMS_ACTOR, operation: `kms.${operation}` };
}
