import type { CompiledQuery, Kysely } from 'kysely';
import { deepFreeze } from '../../shared/runtime/deep-freeze.ts';
import type { Database } from './database.ts';
import { SqliteDb } from './sqlite-db.ts';

/** Values can be whatever somebody asks for. */
const MOST_REMEMBERED = 10_000;

/**
 * A query that is put together once and asked with other values each time: to put it together takes longer than to answer it. What is made of its
 * rows is remembered for as long as nothing is committed, where the database can tell; everybody gets the same, which nobody can change.
 */
export class PreparedQuery<Row, Made> {
  readonly #db: Kysely<Database>;
  readonly #build: (db: Kysely<Database>) => { compile(): CompiledQuery<Row> };
  readonly #make: (rows: readonly Row[]) => Made;
  #compiled: CompiledQuery<Row> | undefined;
  readonly #remembered = new Map<string, Made>();
  #asOf: number | undefined;

  /**
   * @param build the query with any values in their places
   * @param make what its rows come to
   */
  constructor(
    db: Kysely<Database>,
    build: (db: Kysely<Database>) => { compile(): CompiledQuery<Row> },
    make: (rows: readonly Row[]) => Made,
  ) {
    this.#db = db;
    this.#build = build;
    this.#make = make;
  }

  /**
   * At once where it is remembered.
   * @param values in the order in which the query names them
   */
  ask(...values: readonly string[]): Made | Promise<Made> {
    if (!(this.#db instanceof SqliteDb)) return this.#askNow(values);
    const { state } = this.#db;
    if (state !== this.#asOf || this.#remembered.size === MOST_REMEMBERED) this.#remembered.clear();
    this.#asOf = state;
    const name = nameOf(values);
    return this.#remembered.get(name) ?? this.#askToRemember(name, values);
  }

  async #askToRemember(name: string, values: readonly string[]): Promise<Made> {
    const state = this.#asOf;
    const made = await this.#askNow(values);
    // Something may have been committed since it was read.
    if (this.#asOf === state) this.#remembered.set(name, made);
    return made;
  }

  async #askNow(values: readonly string[]): Promise<Made> {
    this.#compiled ??= this.#build(this.#db).compile();
    const { rows } = await this.#db.executeQuery<Row>({ ...this.#compiled, parameters: values });
    return deepFreeze(this.#make(rows));
  }
}

/** No other values come to the same. */
function nameOf(values: readonly string[]): string {
  let name = '';
  for (const value of values) name += `${value.length} ${value}`;
  return name;
}
