import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';

export interface SightingRow {
  readonly id: string;
  /** null: the sighting of somebody who is no customer. */
  readonly customer_id: string | null;
  /** Envelope of the customer, or plain JSON. */
  readonly content: Buffer;
}

export interface StoredSightingRow extends SightingRow {
  readonly position: number;
}

/** Sightings in one tenant's vault.db, in the order in which they were recorded. */
export class SightingStore {
  readonly #upsert: Statement<[string, string | null, Buffer], unknown>;
  readonly #before: Statement<[number, number], StoredSightingRow>;
  readonly #ofOneBefore: Statement<[string | null, number, number], StoredSightingRow>;

  /** @param database vault.db with the schema of vault-schema.ts */
  constructor(database: Database.Database) {
    this.#upsert = database.prepare(
      'INSERT INTO sightings (id, customer_id, content) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET customer_id = excluded.customer_id, content = excluded.content',
    );
    this.#before = database.prepare(
      'SELECT position, id, customer_id, content FROM sightings WHERE position < ? ORDER BY position DESC LIMIT ?',
    );
    this.#ofOneBefore = database.prepare(
      'SELECT position, id, customer_id, content FROM sightings WHERE customer_id IS ? AND position < ? ORDER BY position DESC LIMIT ?',
    );
  }

  /** Reported again under the same id, the later report counts; its place in the order stays. */
  put(row: SightingRow): void {
    this.#upsert.run(row.id, row.customer_id, row.content);
  }

  /**
   * The last recorded ones before a position, the last first.
   * @param customerId only those of this customer; null: only those of people who are no customers
   */
  before(position: number, limit: number, customerId?: string | null): IterableIterator<StoredSightingRow> {
    return customerId === undefined ? this.#before.iterate(position, limit) : this.#ofOneBefore.iterate(customerId, position, limit);
  }
}
