import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';

/** Boxes at which it is time to look, those first that have waited longest. */
export async function dueBoxes(db: Kysely<Database>, table: 'box_states' | 'links', limit: number, now: number): Promise<string[]> {
  const rows = await db.selectFrom(table).select('device').where('next_try_at', '<=', now).orderBy('next_try_at').limit(limit).execute();
  return rows.map(({ device }) => device);
}
