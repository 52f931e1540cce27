import Database from 'better-sqlite3';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { asVaultError } from './as-vault-error.ts';
import { purgeLog } from './purge-log.ts';

/** Versions of a database's schema: step i brings version i to i + 1 and ends with setting `user_version`. Steps are only ever appended. */
export type SchemaSteps = readonly string[];

export interface EncryptedDatabaseOptions {
  /** Raw file key, 32 bytes; stays the caller's, who wipes it. */
  readonly key: Buffer;
  readonly schema: SchemaSteps;
  /** `create` wants no such file yet; `open` wants one that was made by `create`. */
  readonly mode: 'create' | 'open';
}

/**
 * Opens a SQLite file encrypted by SQLite3 Multiple Ciphers (AEGIS-256, every page authenticated) and brings its schema up to date.
 *
 * Exclusive locking keeps every other process out and needs no shared-memory file beside the WAL, whose pages
 * are encrypted too. With `synchronous=FULL` a committed transaction outlives a power cut.
 * @throws {SecureGateError} `vault_corrupt` (damaged, another key, an empty file), `vault_newer`, `data_folder_in_use`, `storage_failed`
 */
export function openEncryptedDatabase(path: string, options: EncryptedDatabaseOptions): Database.Database {
  let database: Database.Database | undefined;
  try {
    database = new Database(path, { fileMustExist: options.mode === 'open', timeout: 0 });
    setFileKey(database, options.key);
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma('page_size = 16384');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('temp_store = MEMORY');
    database.pragma('secure_delete = ON');
    database.pragma('foreign_keys = ON');
    database.pragma('trusted_schema = OFF');
    migrate(database, options);
    // What a run deleted that was killed before it could purge.
    purgeLog(database);
    return database;
  } catch (error) {
    database?.close();
    throw asVaultError(error);
  }
}

/** Without the prefix `raw:` the library would take the key for a passphrase, and say nothing. */
function setFileKey(database: Database.Database, key: Buffer): void {
  const prefix = Buffer.from('raw:');
  const raw = Buffer.alloc(prefix.length + key.length);
  try {
    raw.set(prefix);
    raw.set(key, prefix.length);
    database.pragma("cipher = 'aegis'");
    database.key(raw);
  } finally {
    raw.fill(0);
  }
}

function migrate(database: Database.Database, options: EncryptedDatabaseOptions): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  // SQLite takes an emptied file for a new database: a vault that lost its content must not look like one without customers.
  if (options.mode === 'open' && version === 0) throw new SecureGateError('vault_corrupt', 'A database of this vault is empty');
  if (version > options.schema.length) {
    throw new SecureGateError('vault_newer', 'A database of this vault was written by a newer version', {
      details: { version, known: options.schema.length },
    });
  }
  for (const step of options.schema.slice(version)) database.transaction(() => database.exec(step))();
}
