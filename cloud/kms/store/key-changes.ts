import type Database from 'better-sqlite3';

/** What the KMS has said of each change of a key by which it signs, for ever. */
export class KeyChanges {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** @param generation of the key that it leads to: 2 for the first change */
  add(use: string, generation: number, token: string): void {
    this.#database
      .prepare<[string, number, string]>('INSERT INTO key_changes (use, generation, token) VALUES (?, ?, ?)')
      .run(use, generation, token);
  }

  /** The first one first. */
  of(use: string): string[] {
    return this.#database.prepare<[string], string>('SELECT token FROM key_changes WHERE use = ? ORDER BY generation').pluck().all(use);
  }
}
