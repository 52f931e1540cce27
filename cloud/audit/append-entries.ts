import { type Kysely, sql } from 'kysely';
import type { AuditEntry } from '../../shared/audit/audit-entry.ts';
import { leafHash } from '../../shared/audit/leaf.ts';
import { appendToTiles } from '../../shared/crypto/merkle/tiles.ts';
import type { Database } from '../store/database.ts';
import { storedTiles, storeTile } from './stored-tiles.ts';

export interface AppendOptions {
  readonly now: () => number;
  readonly random: (size: number) => Buffer;
}

/**
 * Gives entries their places at the end of the log.
 * @param db a transaction: it waits for every other one that adds to the log, and is alone until it ends
 */
export async function appendEntries(db: Kysely<Database>, entries: readonly AuditEntry[], { now, random }: AppendOptions): Promise<void> {
  const at = now();
  const count = entries.length;
  // The first statement of all: with it, SQLite and Postgres let nobody else in.
  const { size, at: loggedAt } = await db
    .updateTable('log')
    .set((row) => ({ size: row('size', '+', count), at: sql<number>`CASE WHEN at < ${at} THEN ${at} ELSE at END` }))
    .returning(['size', 'at'])
    .executeTakeFirstOrThrow();
  const before = size - count;
  const salted = entries.map((entry) => ({ entry, salt: random(32), loggedAt }));
  const rows = salted.map(({ entry, salt }, index) => ({
    ...entry,
    ...{ leaf: before + index, logged_at: loggedAt, salt: salt.toString('base64url') },
  }));
  await db.insertInto('audit').values(rows).execute();
  for (const tile of await appendToTiles(storedTiles(db), before, salted.map(leafHash))) await storeTile(db, tile);
}
