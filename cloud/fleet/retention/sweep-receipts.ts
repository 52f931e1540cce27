import type { Kysely } from 'kysely';
import type { Database } from '../../store/database.ts';
import { lotsOfIds } from './lots-of-ids.ts';
import { provesDeletion } from './proves-deletion.ts';

/** Removes words of boxes that came before a time, but for those on shreds and erasures. That there was one, and which, the log says for ever. */
export async function sweepReceipts(db: Kysely<Database>, before: number, stop: AbortSignal): Promise<void> {
  for await (const [first, last] of lotsOfIds(db, 'receipts', before, stop)) {
    await db
      .deleteFrom('receipts')
      .where('id', '>=', first)
      .where('id', '<=', last)
      .where((row) => row.not(provesDeletion(row.ref('receipts.command'))))
      .execute();
  }
}
