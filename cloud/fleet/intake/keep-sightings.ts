import type { Kysely } from 'kysely';
import type { SightingReport } from '../../../shared/fleet/sighting-batch.ts';
import type { Database } from '../../store/database.ts';

const DAY_MS = 86_400_000;
/**
 * For so long ids are remembered: as long as a box can be away and come back by its own means. An older sighting could be one that was
 * counted and forgotten.
 */
export const REMEMBERED_DAYS = 100;

/** Of whom a box tells. */
export interface Place {
  readonly org: string;
  readonly tenant: string;
  readonly device: string;
}

/**
 * Counts sightings and keeps their details, all of them or none. One that was counted before, also by another process in this moment,
 * changes nothing; one that is too old to tell, or of a time to come, counts for nothing.
 * @returns how many count for nothing
 */
export async function keepSightings(
  db: Kysely<Database>,
  { org, tenant, device }: Place,
  reports: readonly SightingReport[],
  now: number,
): Promise<number> {
  // In one order, so that two that bring the same do not wait for each other.
  const timely = reports.filter(({ endedAt }) => isTimely(Date.parse(endedAt), now)).toSorted((one, other) => (one.id < other.id ? -1 : 1));
  if (timely.length === 0) return reports.length;
  await db.transaction().execute(async (within) => {
    const counted = await within
      .insertInto('counted_sightings')
      .values(timely.map(({ id, endedAt }) => ({ device, id, ended_at: Date.parse(endedAt) })))
      .onConflict((conflict) => conflict.columns(['device', 'id']).doNothing())
      .returning('id')
      .execute();
    const ids = new Set(counted.map(({ id }) => id));
    // A message that has one twice is counted once, as the table does it.
    const fresh = timely.filter(({ id }) => ids.delete(id));
    if (fresh.length === 0) return;
    await within
      .insertInto('sightings')
      .values(
        fresh.map(({ id, camera, begunAt, endedAt, known, confidence }) => ({
          ...{ org, tenant, device, id, camera, confidence },
          ...{ begun_at: Date.parse(begunAt), ended_at: Date.parse(endedAt), known: Number(known) },
        })),
      )
      .execute();
    await within
      .insertInto('sighting_days')
      .values(countsOf(fresh).map((count) => ({ org, tenant, ...count })))
      .onConflict((conflict) =>
        conflict
          .columns(['org', 'tenant', 'day', 'camera', 'known'])
          .doUpdateSet((row) => ({ sightings: row('sighting_days.sightings', '+', row.ref('excluded.sightings')) })),
      )
      .execute();
  });
  return reports.length - timely.length;
}

function isTimely(at: number, now: number): boolean {
  return at <= now + DAY_MS && at > now - REMEMBERED_DAYS * DAY_MS;
}

function countsOf(reports: readonly SightingReport[]): { day: string; camera: string; known: number; sightings: number }[] {
  const groups = Map.groupBy(reports, ({ endedAt, camera, known }) => `${endedAt.slice(0, 10)} ${camera} ${Number(known)}`);
  return [...groups].toSorted().map(([group, { length: sightings }]) => {
    const [day = '', camera = '', known] = group.split(' ');
    return { day, camera, known: Number(known), sightings };
  });
}
