import type { Kysely, Selectable, Updateable } from 'kysely';
import type { Database, ShredState } from '../store/database.ts';
import { REACHED_FROM } from './shred-states.ts';

export type ShredRow = Selectable<Database['shreds']>;

/**
 * Takes a shred to a state, if it is in one from which there is a way: the one place that writes states after the first.
 * @returns whether it was moved
 */
export async function moveShred(
  db: Kysely<Database>,
  id: string,
  to: Exclude<ShredState, 'requested'>,
  changes: Omit<Updateable<Database['shreds']>, 'id' | 'state' | 'version'> = {},
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('shreds')
    .set((row) => ({ reason: '', ...changes, state: to, version: row('version', '+', 1) }))
    .where('id', '=', id)
    .where('state', 'in', REACHED_FROM[to])
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
