import type { Kysely } from 'kysely';
import { KMS_ACTOR } from '../../shared/audit/kms-entry.ts';
import type { LoggedDestruction } from '../../shared/receipts/receipt.ts';
import type { Database } from '../store/database.ts';

/** Where in the log the KMS says that it has destroyed keys of a tenant: the first time for each. */
export async function findDestructions(db: Kysely<Database>, org: string, tenant: string): Promise<Omit<LoggedDestruction, 'proof'>[]> {
  const entries = await db
    .selectFrom('audit')
    .select(['at', 'request', 'operation', 'target', 'evidence', 'leaf', 'logged_at', 'salt'])
    .where('org', '=', org)
    .where('tenant', '=', tenant)
    .where('actor', '=', KMS_ACTOR)
    .where('operation', 'in', ['kms.destroyTenant', 'kms.destroyEpoch'])
    .where('outcome', '=', 'done')
    .orderBy('leaf')
    .execute();
  const first = new Map<number | null, Omit<LoggedDestruction, 'proof'>>();
  for (const { at, request: call, operation, target, evidence, leaf, logged_at: loggedAt, salt } of entries) {
    const epoch = operation === 'kms.destroyTenant' ? null : Number(target);
    if (!first.has(epoch)) first.set(epoch, { epoch, at, call, evidence, leaf, loggedAt, salt });
  }
  return [...first.values()];
}
