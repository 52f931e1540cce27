import type { Kysely } from 'kysely';
import type { Database } from '../../store/database.ts';
import { REMEMBERED_DAYS } from '../intake/keep-sightings.ts';
import { deleteInLots } from './delete-in-lots.ts';

const DAY_MS = 86_400_000;
/** Sightings of so much time are removed at once. */
const LOT_MS = 3_600_000;

/** Removes the details of sightings that the policy of their tenant does not keep any longer; the counts of their days stay. */
export async function sweepSightings(db: Kysely<Database>, now: number, stop: AbortSignal): Promise<void> {
  const tenants = await db.selectFrom('tenants').select(['org', 'id', 'policies']).execute();
  for (const { org, id, policies } of tenants) {
    const before = firstKept(policies, now);
    const ofTenant = db.selectFrom('sightings').where('org', '=', org).where('tenant', '=', id);
    await deleteInLots(async () => {
      const end = endOfLot(await ofTenant.select(({ fn }) => fn.min('ended_at').as('first')).executeTakeFirst(), before);
      if (end === undefined) return false;
      await db.deleteFrom('sightings').where('org', '=', org).where('tenant', '=', id).where('ended_at', '<', end).execute();
      return true;
    }, stop);
  }
  // A day longer than such ones are taken, for whose clock is another.
  const forgotten = now - (REMEMBERED_DAYS + 1) * DAY_MS;
  const counted = db.selectFrom('counted_sightings').select(({ fn }) => fn.min('ended_at').as('first'));
  await deleteInLots(async () => {
    const end = endOfLot(await counted.executeTakeFirst(), forgotten);
    if (end === undefined) return false;
    await db.deleteFrom('counted_sightings').where('ended_at', '<', end).execute();
    return true;
  }, stop);
}

/** @returns undefined where nothing is from before that time */
function endOfLot(earliest: { readonly first: number | null } | undefined, before: number): number | undefined {
  const first = earliest?.first ?? before;
  return first < before ? Math.min(first + LOT_MS, before) : undefined;
}

/** Of the days (UTC) for which sightings are kept, the present one is the last, as on the box. */
function firstKept(policies: string, now: number): number {
  const { sightingsDays } = JSON.parse(policies) as { sightingsDays: number };
  return (Math.floor(now / DAY_MS) - (sightingsDays - 1)) * DAY_MS;
}
