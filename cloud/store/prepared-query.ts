import type { CompiledQuery, Kysely } from 'kysely';
import type { Database } from './database.ts';

/** A query that is put together once and asked with other values each time: to put it together takes longer than to answer it. */
export class PreparedQuery<Row> {
  readonly #db: Kysely<Database>;
  readonly #build: (db: Kysely<Database>) => { compile(): CompiledQuery<Row> };
  #compiled: CompiledQuery<Row> | undefined;

  /** @param build the query with any values in their places */
  constructor(db: Kysely<Database>, build: (db: Kysely<Database>) => { compile(): CompiledQuery<Row> }) {
    this.#db = db;
    this.#build = build;
  }

  /** @param values in the order in which the query names them */
  async all(...values: readonly string[]): Promise<Row[]> {
    this.#compiled ??= this.#build(this.#db).compile();
    return (await this.#db.executeQuery<Row>({ ...this.#compiled, parameters: values })).rows;
  }
}
