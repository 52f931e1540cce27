import type { AuditEntry } from '../../shared/audit/audit-entry.ts';

/** Where what was done, or refused, is written down. What was recorded has its leaf in the log when the promise resolves, and is never changed. */
export interface Audit {
  record(entry: AuditEntry): Promise<void>;
}
