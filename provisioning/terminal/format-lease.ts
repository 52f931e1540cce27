import type { LeaseStatus } from '../../edge/api/ports.ts';

/** What each level of enforcement is worth. */
const KEPT: Readonly<Record<NonNullable<LeaseStatus['enforcement']>, string>> = {
  memory: 'kept in memory alone: it also ends when the power goes',
  tpm: 'kept under the TPM of this box: a copied disk opens nothing',
  software: 'kept in a file: who has the whole disk has the key until then, and longer',
};

/** One tenant in a few lines. */
export function formatLease({ tenant, state, reason, enforcement, epoch, newest, renewedAt, endsAt, comes, failure }: LeaseStatus): string {
  const lines =
    enforcement === null
      ? [`${tenant}: ${state}${reason === null ? '' : ` (${reason})`}`]
      : [`${tenant}: open until ${endsAt}, epoch ${epoch}`, `  renewed ${renewedAt}`, `  ${KEPT[enforcement]}`];
  if (epoch !== null && newest !== null && newest > epoch)
    lines.push(`  the KMS has begun epoch ${newest}: the next lease moves the tenant`);
  if (comes === 'stick') lines.push('  comes on a stick: no KMS is configured');
  if (failure !== null) lines.push(`  the last try to renew it failed: ${failure}`);
  return lines.join('\n');
}
