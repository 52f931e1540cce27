import type { Kysely } from 'kysely';
import type { Database } from '../../store/database.ts';
import { UNSETTLED } from '../ledger/command-states.ts';
import { lotsOfIds } from './lots-of-ids.ts';
import { provesDeletion } from './proves-deletion.ts';

/**
 * Removes commands that were given and settled before a time. Those by which a shred or an erasure was told stay, and of each box those that
 * it could name in its next hello: a ledger that did not know them would take itself for one that was restored from a backup.
 */
export async function sweepCommands(db: Kysely<Database>, before: number, stop: AbortSignal): Promise<void> {
  for await (const [first, last] of lotsOfIds(db, 'commands', before, stop)) {
    await db
      .deleteFrom('commands')
      .where('id', '>=', first)
      .where('id', '<=', last)
      .where('changed_at', '<', before)
      .where('state', 'not in', UNSETTLED)
      .where((row) => row.not(provesDeletion(row.ref('commands.id'))))
      .where(({ eb, or, not, exists, selectFrom }) =>
        or([
          // It never had a place.
          eb('sequence', '=', 0),
          not(
            exists(
              selectFrom('links')
                .select('device')
                .whereRef('links.device', '=', 'commands.device')
                .where((link) =>
                  link.or([
                    link('links.told_incarnation', '<', link.ref('commands.incarnation')),
                    link.and([
                      link('links.told_incarnation', '=', link.ref('commands.incarnation')),
                      link('links.told_sequence', '<=', link.ref('commands.sequence')),
                    ]),
                  ]),
                ),
            ),
          ),
        ]),
      )
      .execute();
  }
}
