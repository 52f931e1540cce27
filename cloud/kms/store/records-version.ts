import type Database from 'better-sqlite3';

/** The number of the last change that no old copy of these records may undo; 0 before the first. */
export class RecordsVersion {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  get(): number {
    return this.#database.prepare<[], { version: number }>('SELECT version FROM records_version').get()?.version ?? 0;
  }

  set(version: number): void {
    this.#database
      .prepare<[number]>(
        'INSERT INTO records_version (id, version) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version',
      )
      .run(version);
  }
}
