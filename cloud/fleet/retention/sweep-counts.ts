import type { Kysely } from 'kysely';
import type { Database } from '../../store/database.ts';
import { deleteInLots } from './delete-in-lots.ts';

/** Removes what was counted on days before the one of a time: sightings, and what was used. */
export async function sweepCounts(db: Kysely<Database>, before: number, stop: AbortSignal): Promise<void> {
  const firstKept = new Date(before).toISOString().slice(0, 10);
  for (const table of ['sighting_days', 'usage_runs'] as const) {
    await deleteInLots(async () => {
      const { day } = (await db.selectFrom(table).select('day').where('day', '<', firstKept).limit(1).executeTakeFirst()) ?? {};
      if (day === undefined) return false;
      await db.deleteFrom(table).where('day', '=', day).execute();
      return true;
    }, stop);
  }
}
