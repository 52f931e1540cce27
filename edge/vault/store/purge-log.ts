import type Database from 'better-sqlite3';

const purges = new WeakMap<Database.Database, number>();

/**
 * Brings the database file up to date and empties its log. A deleted row is otherwise still in the file's old pages, for
 * whoever leaves the log away, and in the log itself until it is written over.
 */
export function purgeLog(database: Database.Database): void {
  purges.set(database, purgesOf(database) + 1);
  database.pragma('wal_checkpoint(TRUNCATE)');
}

/** How often this was done since the database was opened. */
export function purgesOf(database: Database.Database): number {
  return purges.get(database) ?? 0;
}
