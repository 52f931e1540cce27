import { sql } from 'kysely';
import type { LoggedEntry } from '../../cloud/audit/audit-log.ts';
import { storeTile } from '../../cloud/audit/stored-tiles.ts';
import type { Dialect } from '../../cloud/store/database.ts';
import { appendToTiles } from '../../shared/crypto/merkle/tiles.ts';
import { type LogPlace, leafOf } from './log-place.ts';

const TRIGGERS = ['audit_update', 'log_tiles_update', 'log_tiles_delete'] as const;

/** What whoever runs the control plane can do to its log: the whole database is his, and the HSM signs what he asks for. */
export async function rewriteLog(place: LogPlace, change: (entries: LoggedEntry[]) => LoggedEntry[]): Promise<void> {
  const { db, dialect } = place.store;
  // Those of no org are in between.
  const before = [...(await place.entries()), ...(await place.entriesOf(''))].toSorted((one, other) => one.leaf - other.leaf);
  const entries = change(before);
  const changed = entries.findIndex((entry, index) => entry !== before[index]);
  for (const drop of DROPS[dialect]) await drop.execute(db);
  const log = entries.map((entry, leaf) => ({ ...entry, leaf }));
  for (const table of ['audit', 'log_tiles'] as const) await db.deleteFrom(table).execute();
  await db
    .deleteFrom('log_heads')
    .where('size', '>', changed === -1 ? log.length : changed)
    .execute();
  if (log.length > 0)
    await db
      .insertInto('audit')
      // The database gives them new positions: what it gives next must not be taken, whoever logs first after this.
      .values(log.map(({ loggedAt, position: _position, ...entry }) => ({ ...entry, logged_at: loggedAt })))
      .execute();
  for (const tile of await appendToTiles(async () => Buffer.alloc(0), 0, log.map(leafOf))) await storeTile(db, tile);
  await db.updateTable('log').set({ size: log.length }).execute();
}

const DROPS: Readonly<Record<Dialect, readonly ReturnType<typeof sql>[]>> = {
  sqlite: TRIGGERS.map((name) => sql`DROP TRIGGER IF EXISTS ${sql.id(name)}`),
  postgres: ['audit_change ON audit', 'log_tiles_update ON log_tiles', 'log_tiles_delete ON log_tiles'].map(
    (trigger) => sql`DROP TRIGGER IF EXISTS ${sql.raw(trigger)}`,
  ),
};
