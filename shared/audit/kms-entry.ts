import type { AuditEntry } from './audit-entry.ts';

/** What the KMS says that it did, as its own audit has it: when it answered by its own clock, and resting on that line. */
export interface KmsDeed extends Omit<AuditEntry, 'request' | 'actor'> {
  readonly call: string;
}

export const KMS_ACTOR = 'kms';

/** What the log says of it. */
export function kmsEntry({ call, operation, ...deed }: KmsDeed): AuditEntry {
  return { ...deed, request: call, actor: KMS_ACTOR, operation: `kms.${operation}` };
}
