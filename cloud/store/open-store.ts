import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely';
import pg from 'pg';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Database, Dialect } from './database.ts';
import { migrate } from './migrate.ts';

/** Where the control plane remembers what it does. */
export interface Store {
  readonly db: Kysely<Database>;
  readonly dialect: Dialect;
  close(): Promise<void>;
}

export type StoreAddress = { readonly file: string } | { readonly postgres: string };

const MOST_CONNECTIONS = 10;
const CONNECT_MS = 5000;

/** Times fit into a number for 285,000 years; pg gives 64-bit integers as text otherwise. */
const NUMBERS = {
  getTypeParser: ((oid: number, format?: 'text') =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/**
 * Opens the database, after making its tables. What was written is on the disk when a call returns.
 * @param address a file of SQLite, for one process, or a Postgres, for any number of them
 * @throws {SecureGateError} `storage_failed`, `store_newer`
 */
export async function openStore(address: StoreAddress): Promise<Store> {
  const dialect: Dialect = 'file' in address ? 'sqlite' : 'postgres';
  let db: Kysely<Database> | undefined;
  try {
    db = new Kysely<Database>({ dialect: 'file' in address ? sqlite(address.file) : postgres(address.postgres) });
    await migrate(db, dialect);
  } catch (error) {
    await db?.destroy();
    throw SecureGateError.from(error, 'storage_failed');
  }
  const opened = db;
  return { db: opened, dialect, close: () => opened.destroy() };
}

function sqlite(file: string): SqliteDialect {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
  const database = new Sqlite(file, { timeout: 5000 });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  return new SqliteDialect({ database });
}

function postgres(connectionString: string): PostgresDialect {
  const pool = new pg.Pool({ connectionString, max: MOST_CONNECTIONS, connectionTimeoutMillis: CONNECT_MS, types: NUMBERS });
  // An idle connection broke; the next query opens another, and says so where that fails.
  pool.on('error', () => undefined);
  return new PostgresDialect({ pool });
}
