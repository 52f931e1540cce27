import type { Database, Statement } from 'better-sqlite3';

/** The desired state of the box in `appliance.db`: a box without a network is after a restart what it was before. */
export class StoredDesired {
  readonly #find: Statement<[], { token: string }>;
  readonly #keep: Statement<[string]>;

  constructor(database: Database) {
    this.#find = database.prepare('SELECT token FROM desired');
    this.#keep = database.prepare('INSERT INTO desired (one, token) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET token = excluded.token');
  }

  find(): string | undefined {
    return this.#find.get()?.token;
  }

  keep(token: string): void {
    this.#keep.run(token);
  }
}
