import type Database from 'better-sqlite3';
import { purgeLog, purgesOf } from './purge-log.ts';

/**
 * Lets another process copy a database's file while the database is written to: as long as the file is held, what is committed
 * stays in the log. Only a purge changes the file all the same, since what somebody had removed does not wait for a copy.
 *
 * This process must not copy it: closing a file takes away every lock that a process has on it (POSIX), SQLite's among them.
 */
export class FileHold {
  readonly #database: Database.Database;
  #purges: number | undefined;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** The file is up to date when this returns. */
  hold(): void {
    this.#database.pragma('wal_autocheckpoint = 0');
    purgeLog(this.#database);
    this.#purges = purgesOf(this.#database);
  }

  /** @returns whether the file was held all the time, and did not change */
  release(): boolean {
    const unchanged = this.#purges === purgesOf(this.#database);
    this.#purges = undefined;
    this.#database.pragma('wal_autocheckpoint = 1000');
    return unchanged;
  }
}
