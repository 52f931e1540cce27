import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';

/** A customer's key as it stands in keys.db. */
export interface CustomerKeyRow {
  readonly customer_id: string;
  readonly id: string;
  readonly version: number;
  /** Of the shard key that it is under. */
  readonly shard_version: number;
  readonly envelope: Buffer;
}

/** The customers' keys in keys.db. It moves envelopes and opens none. */
export class CustomerKeyStore {
  readonly #insert: Statement<[string, string, string, number, number, Buffer], unknown>;
  readonly #settle: Statement<[string, string], unknown>;
  readonly #delete: Statement<[string, string], unknown>;
  readonly #select: Statement<[string, string], CustomerKeyRow>;
  readonly #unsettled: Statement<[], { customer_id: string }>;
  readonly #ofShard: Statement<[string, number], CustomerKeyRow>;
  readonly #rewrap: Statement<[Buffer, number, string, string], unknown>;

  /** @param database keys.db with the schema of keys-schema.ts */
  constructor(database: Database.Database) {
    this.#insert = database.prepare(
      'INSERT INTO customer_keys (shard, customer_id, id, version, shard_version, settled, envelope) VALUES (?, ?, ?, ?, ?, 0, ?) ON CONFLICT (shard, customer_id) DO UPDATE SET id = excluded.id, version = excluded.version, shard_version = excluded.shard_version, envelope = excluded.envelope WHERE settled = 0',
    );
    this.#settle = database.prepare('UPDATE customer_keys SET settled = 1 WHERE shard = ? AND customer_id = ?');
    this.#delete = database.prepare('DELETE FROM customer_keys WHERE shard = ? AND customer_id = ?');
    this.#select = database.prepare(
      'SELECT customer_id, id, version, shard_version, envelope FROM customer_keys WHERE shard = ? AND customer_id = ?',
    );
    this.#unsettled = database.prepare('SELECT customer_id FROM customer_keys WHERE settled = 0');
    this.#ofShard = database.prepare(
      'SELECT customer_id, id, version, shard_version, envelope FROM customer_keys WHERE shard = ? AND shard_version = ?',
    );
    this.#rewrap = database.prepare('UPDATE customer_keys SET envelope = ?, shard_version = ? WHERE shard = ? AND customer_id = ?');
  }

  find(shard: string, customerId: string): CustomerKeyRow | undefined {
    return this.#select.get(shard, customerId);
  }

  /** In the place of a key that is not settled. @returns false when there is a settled one */
  add(shard: string, { customer_id, id, version, shard_version, envelope }: CustomerKeyRow): boolean {
    return this.#insert.run(shard, customer_id, id, version, shard_version, envelope).changes > 0;
  }

  settle(shard: string, customerId: string): void {
    this.#settle.run(shard, customerId);
  }

  remove(shard: string, customerId: string): void {
    this.#delete.run(shard, customerId);
  }

  unsettled(): string[] {
    return this.#unsettled.all().map((row) => row.customer_id);
  }

  /** Those that are under this version of the shard's key. */
  under(shard: string, shardVersion: number): CustomerKeyRow[] {
    return this.#ofShard.all(shard, shardVersion);
  }

  rewrap(shard: string, customerId: string, shardVersion: number, envelope: Buffer): void {
    this.#rewrap.run(envelope, shardVersion, shard, customerId);
  }
}
