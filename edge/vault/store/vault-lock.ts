import Database from 'better-sqlite3';
import { asVaultError } from './as-vault-error.ts';

/** How long a starting vault waits for the one before it: the orphan of a killed daemon needs a moment to notice and go. */
const WAIT_MS = 5_000;

/**
 * Lets one process at a time touch a tenant's files, from before their first byte is made.
 * It is an SQLite lock on an empty file: the kernel gives it back when the process dies, however it dies.
 */
export class VaultLock {
  readonly #path: string;
  #database: Database.Database | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws {SecureGateError} `data_folder_in_use`, `storage_failed` */
  acquire(): void {
    let database: Database.Database | undefined;
    try {
      database = new Database(this.#path, { timeout: WAIT_MS });
      database.exec('BEGIN EXCLUSIVE');
      this.#database = database;
    } catch (error) {
      database?.close();
      throw asVaultError(error);
    }
  }

  release(): void {
    this.#database?.close();
    this.#database = undefined;
  }
}
