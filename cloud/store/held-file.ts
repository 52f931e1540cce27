import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { inUse } from './in-use.ts';

/** Keeps other control planes from a database of SQLite: a lock on a file beside it, which goes with the process, however it ends. */
export class HeldFile {
  readonly #file: string;
  #lock: Sqlite.Database | undefined;

  /** @param file the database */
  constructor(file: string) {
    this.#file = file;
  }

  /** @throws {SecureGateError} `store_in_use` */
  start(): void {
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    const lock = new Sqlite(`${this.#file}.lock`, { timeout: 0 });
    try {
      lock.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      lock.close();
      const isTaken = error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY';
      throw isTaken ? inUse(error) : error;
    }
    this.#lock = lock;
  }

  stop(): void {
    this.#lock?.close();
  }
}
