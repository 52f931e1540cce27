import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, type Logger, PostgresDialect, SqliteDialect } from 'kysely';
import pg from 'pg';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Database, Dialect } from './database.ts';
import { migrate } from './migrate.ts';
import { preparing } from './preparing.ts';
import { SqliteDb, type Took } from './sqlite-db.ts';

export interface Connections {
  readonly open: number;
  readonly idle: number;
  /** Queries that wait for one. */
  readonly waiting: number;
}

/** Where the control plane remembers what it does. */
export interface Store {
  readonly db: Kysely<Database>;
  readonly dialect: Dialect;
  /** Connections to Postgres; null with SQLite. */
  connections(): Connections | null;
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
 * @param took is told the time of each query
 * @throws {SecureGateError} `storage_failed`, `store_newer`
 */
export async function openStore(address: StoreAddress, took: Took = () => undefined): Promise<Store> {
  let store: Store | undefined;
  try {
    store = 'file' in address ? sqlite(address.file, took) : postgres(address.postgres, took);
    await migrate(store.db, store.dialect);
    return store;
  } catch (error) {
    await store?.close();
    throw SecureGateError.from(error, 'storage_failed');
  }
}

function sqlite(file: string, took: Took): Store {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
  const database = new Sqlite(file, { timeout: 5000 });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  const prepare = preparing(database);
  // Kysely runs what it prepares at once: nothing is read in between.
  const preparingToRun = (text: string) => {
    db.lookAgain();
    return prepare(text);
  };
  const dialect = new SqliteDialect({ database: { prepare: preparingToRun, close: () => database.close() } });
  const reader = new Sqlite(file, { timeout: 5000, readonly: true });
  const db = new SqliteDb({ dialect, log: telling(took) }, reader, took);
  const close = async (): Promise<void> => {
    // The last one to go tidies the folder up, which one that only reads cannot.
    reader.close();
    await db.destroy();
  };
  return { db, dialect: 'sqlite', connections: () => null, close };
}

function postgres(connectionString: string, took: Took): Store {
  const pool = new pg.Pool({ connectionString, max: MOST_CONNECTIONS, connectionTimeoutMillis: CONNECT_MS, types: NUMBERS });
  // An idle connection broke; the next query opens another, and says so where that fails.
  pool.on('error', () => undefined);
  const connections = () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount });
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }), log: telling(took) });
  return { db, dialect: 'postgres', connections, close: () => db.destroy() };
}

function telling(took: Took): Logger {
  return ({ level, queryDurationMillis }) => took(level === 'query' ? 'done' : 'failed', queryDurationMillis / 1000);
}
