import type { AuditEntry } from './audit-entry.ts';

/** A box's last word on a command, as the control plane has written it down. */
export interface SettledCommand {
  /** When it came, milliseconds since the Unix epoch. */
  readonly at: number;
  readonly receipt: string;
  readonly org: string;
  readonly device: string;
  readonly command: string;
  /** `done`, or the code of why it is not. */
  readonly outcome: string;
  /** SHA-256 of the word, base64url. */
  readonly digest: string;
}

export const SETTLED = 'commands.settle';

/** What the log says of it: whoever has the word and its receipt knows the entry, and so the leaf, but for the salt. */
export function settledEntry({ at, receipt, org, device, command, outcome, digest }: SettledCommand): AuditEntry {
  return { at, request: receipt, actor: device, operation: SETTLED, org, tenant: '', target: command, outcome, evidence: digest };
}
