import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';
import { purgeLog } from './purge-log.ts';

export interface RecordRow {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  /** null: a record about nobody. */
  readonly customer_id: string | null;
  /** Envelope of the customer, or plain JSON. */
  readonly content: Buffer;
}

export interface StoredRecordRow extends RecordRow {
  readonly position: number;
}

/** The venue's own records in one tenant's vault.db. */
export class RecordStore {
  readonly #database: Database.Database;
  readonly #insert: Statement<[string, string, number, string | null, Buffer], unknown>;
  readonly #select: Statement<[string, string], RecordRow>;
  readonly #before: Statement<[string, number], StoredRecordRow>;
  readonly #update: Statement<[number, Buffer, string], unknown>;
  readonly #delete: Statement<[string], unknown>;

  /** @param database vault.db with the schema of vault-schema.ts */
  constructor(database: Database.Database) {
    this.#database = database;
    this.#insert = database.prepare('INSERT INTO records (id, kind, version, customer_id, content) VALUES (?, ?, ?, ?, ?)');
    this.#select = database.prepare('SELECT id, kind, version, customer_id, content FROM records WHERE kind = ? AND id = ?');
    this.#before = database.prepare(
      'SELECT position, id, kind, version, customer_id, content FROM records WHERE kind = ? AND position < ? ORDER BY position DESC',
    );
    this.#update = database.prepare('UPDATE records SET version = ?, content = ? WHERE id = ?');
    this.#delete = database.prepare('DELETE FROM records WHERE id = ?');
  }

  add(row: RecordRow): void {
    this.#insert.run(row.id, row.kind, row.version, row.customer_id, row.content);
  }

  find(kind: string, id: string): RecordRow | undefined {
    return this.#select.get(kind, id);
  }

  /** Those of one kind before a position, the newest first. */
  before(kind: string, position: number): IterableIterator<StoredRecordRow> {
    return this.#before.iterate(kind, position);
  }

  change(id: string, version: number, content: Buffer): void {
    this.#update.run(version, content, id);
    purgeLog(this.#database);
  }

  remove(id: string): void {
    this.#delete.run(id);
    purgeLog(this.#database);
  }
}
