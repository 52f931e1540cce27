import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { newUlid } from '../../../shared/ids/ulid.ts';
import type { Database } from '../../store/database.ts';

/** What is looked at in one go: whoever writes meanwhile waits for no more. */
const LOT = 500;

/**
 * The ids (ULID) of what was made before a time, lot after lot: the first and the last of each. In between, others get their turn.
 */
export async function* lotsOfIds(
  db: Kysely<Database>,
  table: 'commands' | 'receipts',
  before: number,
  stop: AbortSignal,
): AsyncGenerator<readonly [string, string]> {
  const end = newUlid(before, Buffer.alloc);
  for (let last = ''; !stop.aborted; await nextTurn()) {
    const lot = await db.selectFrom(table).select('id').where('id', '>', last).where('id', '<', end).orderBy('id').limit(LOT).execute();
    const [first, final] = [lot.at(0), lot.at(-1)];
    if (first === undefined || final === undefined) return;
    yield [first.id, final.id];
    last = final.id;
  }
}
