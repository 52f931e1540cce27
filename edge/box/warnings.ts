import type { ErrorCode } from '../../shared/errors/codes.ts';
import type { Stats } from '../../shared/messages/events.ts';
import type { LastBackup } from '../backup/last-backup.ts';

/** The box asks for the next lease when half of one is over: by this share it has tried for long. */
const NEAR_THE_END = 0.25;
const LONGEST_WITHOUT_BACKUP_MS = 7 * 86_400_000;

/** What counts of a tenant. */
export interface WatchedTenant {
  readonly id: string;
  readonly epoch: number | null;
  readonly lease: { readonly leftMs: number; readonly issuedAt: number; readonly endsAt: number } | null;
  /** Whether the next lease comes without anybody doing something. */
  readonly renews: boolean;
}

/** What works now, and will not for long unless somebody sees to it. */
export function warningsOf(tenants: readonly WatchedTenant[], lastBackup: LastBackup | null, now: number): Stats['warnings'] {
  const warnings: { tenant: string | null; reason: ErrorCode }[] = [];
  for (const { id, epoch, lease, renews } of tenants) {
    if (lease && !renews && lease.leftMs < (lease.endsAt - lease.issuedAt) * NEAR_THE_END)
      warnings.push({ tenant: id, reason: 'lease_ending' });
    const kept = lastBackup?.epochs[id];
    if (!lease && epoch !== null && kept !== undefined && kept < epoch) warnings.push({ tenant: id, reason: 'key_copy_outdated' });
  }
  if (lastBackup === null || now - Date.parse(lastBackup.at) > LONGEST_WITHOUT_BACKUP_MS)
    warnings.push({ tenant: null, reason: 'backup_outdated' });
  return warnings;
}
