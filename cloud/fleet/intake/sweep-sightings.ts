import type { Kysely } from 'kysely';
import type { Database } from '../../store/database.ts';
import { REMEMBERED_DAYS } from './keep-sightings.ts';

const DAY_MS = 86_400_000;

/** Removes the details of sightings that the policy of their tenant does not keep any longer; the counts of their days stay. */
export async function sweepSightings(db: Kysely<Database>, now: number, lost: AbortSignal): Promise<void> {
  const tenants = await db.selectFrom('tenants').select(['org', 'id', 'policies']).execute();
  for (const { org, id, policies } of tenants) {
    if (lost.aborted) return;
    await db
      .deleteFrom('sightings')
      .where('org', '=', org)
      .where('tenant', '=', id)
      .where('ended_at', '<', firstKept(policies, now))
      .execute();
  }
  // A day longer than such ones are taken, for whose clock is another.
  const forgotten = now - (REMEMBERED_DAYS + 1) * DAY_MS;
  await db.deleteFrom('counted_sightings').where('ended_at', '<', forgotten).execute();
}

/** Of the days (UTC) for which sightings are kept, the present one is the last, as on the box. */
function firstKept(policies: string, now: number): number {
  const { sightingsDays } = JSON.parse(policies) as { sightingsDays: number };
  return (Math.floor(now / DAY_MS) - (sightingsDays - 1)) * DAY_MS;
}
