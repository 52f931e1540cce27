import type { Database as Connection, Statement } from 'better-sqlite3';
import { type CompiledQuery, Kysely, type KyselyConfig, type QueryResult } from 'kysely';
import type { Database } from './database.ts';
import { preparing } from './preparing.ts';

/** Is told the time of each query. */
export type Took = (outcome: 'done' | 'failed', seconds: number) => void;

/**
 * What is asked as it was compiled before ({@link PreparedQuery}) is read on a connection of its own: it sees what is committed, waits for no
 * transaction of others, and skips what Kysely does around a query, which takes longer than the query.
 */
export class SqliteDb extends Kysely<Database> {
  readonly #prepare: ReturnType<typeof preparing>;
  readonly #took: Took;
  readonly #readState: Statement<[], number>;
  #state: number | undefined;

  /** @param reader a connection that can only read */
  constructor(config: KyselyConfig, reader: Connection, took: Took) {
    super(config);
    this.#prepare = preparing(reader);
    this.#took = took;
    this.#readState = reader.prepare<[], number>('PRAGMA data_version').pluck();
  }

  /**
   * Another number after each commit. The database is looked at once in a turn of the event loop, which is before anything comes that knows of
   * what another process has committed.
   */
  get state(): number {
    if (this.#state !== undefined) return this.#state;
    setImmediate(() => this.lookAgain());
    const state = this.#readState.get() ?? 0;
    this.#state = state;
    return state;
  }

  /** This process is about to write, which its next request has to see. */
  lookAgain(): void {
    this.#state = undefined;
  }

  override async executeQuery<Row>(query: CompiledQuery<Row>): Promise<QueryResult<Row>> {
    const startedAt = performance.now();
    let outcome: Parameters<Took>[0] = 'failed';
    try {
      const rows = this.#prepare(query.sql).all(query.parameters) as Row[];
      outcome = 'done';
      return { rows };
    } finally {
      this.#took(outcome, (performance.now() - startedAt) / 1000);
    }
  }
}
