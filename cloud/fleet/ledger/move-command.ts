import type { Kysely, Updateable } from 'kysely';
import type { Database } from '../../store/database.ts';
import { type CommandState, REACHED_FROM } from './command-states.ts';

/**
 * Takes a command to a state, if it is in one from which there is a way: the one place that writes states after the first.
 * @param only states to move it from, of those
 * @returns whether it was moved
 */
export async function moveCommand(
  db: Kysely<Database>,
  id: string,
  to: Exclude<CommandState, 'QUEUED'>,
  changes: Pick<Updateable<Database['commands']>, 'reason' | 'token'>,
  now: number,
  only: readonly CommandState[] = REACHED_FROM[to],
): Promise<boolean> {
  const from = REACHED_FROM[to].filter((state) => only.includes(state));
  const { numUpdatedRows } = await db
    .updateTable('commands')
    .set({ ...changes, state: to, changed_at: now })
    .where('id', '=', id)
    .where('state', 'in', from)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
