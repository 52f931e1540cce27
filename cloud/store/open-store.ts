import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely';
import pg from 'pg';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Database, Dialect } from './database.ts';
import { migrate } from './migrate.ts';

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
export async function openStore(
  address: StoreAddress,
  took: (outcome: 'done' | 'failed', seconds: number) => void = () => undefined,
): Promise<Store> {
  let db: Kysely<Database> | undefined;
  try {
    const { driver, dialect, connections } = 'file' in address ? sqlite(address.file) : postgres(address.postgres);
    const opened = new Kysely<Database>({
      dialect: driver,
      log: ({ level, queryDurationMillis }) => took(level === 'query' ? 'done' : 'failed', queryDurationMillis / 1000),
    });
    db = opened;
    await migrate(opened, dialect);
    return { db: opened, dialect, connections, close: () => opened.destroy() };
  } catch (error) {
    await db?.destroy();
    throw SecureGateError.from(error, 'storage_failed');
  }
}

interface Driver extends Pick<Store, 'dialect' | 'connections'> {
  readonly driver: SqliteDialect | PostgresDialect;
}

function sqlite(file: string): Driver {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
  const database = new Sqlite(file, { timeout: 5000 });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  const statements = new Map<string, Sqlite.Statement>();
  // Kysely prepares anew what it runs, which takes longer than to run it. Its texts are few: values are parameters.
  const prepare = (text: string): Sqlite.Statement => {
    const statement = statements.get(text) ?? database.prepare(text);
    statements.set(text, statement);
    return statement;
  };
  const driver = new SqliteDialect({ database: { prepare, close: () => database.close() } });
  return { driver, dialect: 'sqlite', connections: () => null };
}

function postgres(connectionString: string): Driver {
  const pool = new pg.Pool({ connectionString, max: MOST_CONNECTIONS, connectionTimeoutMillis: CONNECT_MS, types: NUMBERS });
  // An idle connection broke; the next query opens another, and says so where that fails.
  pool.on('error', () => undefined);
  const connections = () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount });
  return { driver: new PostgresDialect({ pool }), dialect: 'postgres', connections };
}
