import type Database from 'better-sqlite3';

/**
 * Brings the database file up to date and empties its log. A deleted row is otherwise still in the file's old pages, for
 * whoever leaves the log away, and in the log itself until it is written over.
 */
export function purgeLog(database: Database.Database): void {
  database.pragma('wal_checkpoint(TRUNCATE)');
}
