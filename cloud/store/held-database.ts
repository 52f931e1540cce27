import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { inUse } from './in-use.ts';

/** Of the lock: any number, the same in every version. */
const LOCK = 0x5347_4d51;
const CONNECT_MS = 5000;
/** The one before, which was killed or cut off, may be there for a moment more: the database sees after 25 s that its machine is gone. */
const START = { tries: 50, everyMs: 100 };
const AGAIN = { tries: 40, everyMs: 1000 };
const KEEPALIVE = 'SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3';

export interface HeldDatabaseOptions {
  readonly postgres: string;
  /** Called once, when another process has taken the database while this one had no connection. */
  readonly onLost: (error: SecureGateError) => void;
  readonly logger: Logger;
  /** Between two tries to take it again. */
  readonly everyMs?: number;
}

/**
 * Keeps other control planes that have to be alone from a Postgres: a lock of one connection, which goes with the process, however it ends.
 * Where only the connection ends, the lock is taken again.
 */
export class HeldDatabase {
  readonly #options: HeldDatabaseOptions;
  readonly #stopping = new AbortController();
  #client: pg.Client | undefined;
  #taking: Promise<void> = Promise.resolve();

  constructor(options: HeldDatabaseOptions) {
    this.#options = options;
  }

  /** @throws {SecureGateError} `store_in_use`, `storage_failed` */
  async start(): Promise<void> {
    for (let { tries } = START; !(await this.#take()); tries--) {
      if (tries === 0) throw inUse();
      await pause(START.everyMs);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#taking;
    await this.#client?.end();
  }

  /** @returns whether it has the lock */
  async #take(): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.#options.postgres, connectionTimeoutMillis: CONNECT_MS });
    // It ends after an error.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(KEEPALIVE);
      const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [LOCK]);
      if (rows[0]?.taken !== true) {
        await client.end();
        return false;
      }
    } catch (error) {
      await client.end().catch(() => undefined);
      throw SecureGateError.from(error, 'storage_failed');
    }
    this.#client = client;
    client.once('end', () => {
      if (!this.#stopping.signal.aborted) this.#taking = this.#takeAgain();
    });
    return true;
  }

  /** While the database is away, nobody else takes it. */
  async #takeAgain(): Promise<void> {
    const { onLost, logger, everyMs = AGAIN.everyMs } = this.#options;
    const { signal } = this.#stopping;
    logger.warn('the connection was lost that keeps other control planes from the database; it is made again');
    let refused = 0;
    while (!signal.aborted) {
      try {
        if (await this.#take()) return;
        refused += 1;
        if (refused === AGAIN.tries) return onLost(inUse());
      } catch (error) {
        logger.debug({ err: error }, 'the database is away');
      }
      await pause(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
