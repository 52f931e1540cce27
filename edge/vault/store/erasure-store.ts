import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';

export interface ErasureRow {
  readonly position: number;
  readonly customer_id: string;
  /** Milliseconds since the Unix epoch. */
  readonly erased_at: number;
  readonly epoch: number;
}

export interface DestroyedEpochRow {
  readonly epoch: number;
  /** Milliseconds since the Unix epoch; null: whoever keeps the key store promises no such time. */
  readonly unrecoverable_from: number | null;
  /** JSON. */
  readonly boxes: string;
}

/** Who was erased, by random ids that belong to nobody any more, in keys.db. */
export class ErasureStore {
  readonly #put: Statement<[string, number, number], unknown>;
  readonly #all: Statement<[], { customer_id: string }>;
  readonly #one: Statement<[string], ErasureRow>;
  readonly #before: Statement<[number, number], ErasureRow>;
  readonly #since: Statement<[number, number], { customer_id: string }>;
  readonly #ofEpoch: Statement<[number], { customer_id: string }>;
  readonly #putEpoch: Statement<[number, number | null, string], unknown>;
  readonly #epochs: Statement<[], DestroyedEpochRow>;

  /** @param database keys.db with the schema of keys-schema.ts */
  constructor(database: Database.Database) {
    this.#put = database.prepare(
      'INSERT INTO erased_customers (customer_id, erased_at, epoch) VALUES (?, ?, ?) ON CONFLICT (customer_id) DO UPDATE SET erased_at = excluded.erased_at, epoch = excluded.epoch',
    );
    this.#all = database.prepare('SELECT customer_id FROM erased_customers');
    this.#one = database.prepare('SELECT position, customer_id, erased_at, epoch FROM erased_customers WHERE customer_id = ?');
    this.#before = database.prepare(
      'SELECT position, customer_id, erased_at, epoch FROM erased_customers WHERE position < ? ORDER BY position DESC LIMIT ?',
    );
    this.#since = database.prepare('SELECT customer_id FROM erased_customers WHERE epoch >= ? AND erased_at < ? LIMIT 1');
    this.#ofEpoch = database.prepare('SELECT customer_id FROM erased_customers WHERE epoch = ?');
    this.#putEpoch = database.prepare('INSERT OR REPLACE INTO destroyed_epochs (epoch, unrecoverable_from, boxes) VALUES (?, ?, ?)');
    this.#epochs = database.prepare('SELECT epoch, unrecoverable_from, boxes FROM destroyed_epochs ORDER BY epoch');
  }

  /** Erased once more, the later erasure counts. */
  put(customerId: string, erasedAt: number, epoch: number): void {
    this.#put.run(customerId, erasedAt, epoch);
  }

  all(): string[] {
    return this.#all.all().map((row) => row.customer_id);
  }

  find(customerId: string): ErasureRow | undefined {
    return this.#one.get(customerId);
  }

  /** The last ones before a position, the last first. */
  before(position: number, limit: number): ErasureRow[] {
    return this.#before.all(position, limit);
  }

  /** Whether anybody was erased before this time whom a tenant key of this epoch, or of a later one, may bring back. */
  hasOpen(epoch: number, before: number): boolean {
    return this.#since.get(epoch, before) !== undefined;
  }

  ofEpoch(epoch: number): string[] {
    return this.#ofEpoch.all(epoch).map((row) => row.customer_id);
  }

  putDestroyedEpoch({ epoch, unrecoverable_from, boxes }: DestroyedEpochRow): void {
    this.#putEpoch.run(epoch, unrecoverable_from, boxes);
  }

  destroyedEpochs(): DestroyedEpochRow[] {
    return this.#epochs.all();
  }
}
