import { randomBytes } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';
import type { EnvelopeContext, EnvelopeKey } from '../../../shared/crypto/envelope.ts';
import { openEnvelope } from '../../../shared/crypto/open-envelope.ts';
import { sealEnvelope } from '../../../shared/crypto/seal-envelope.ts';
import { newId } from '../../../shared/ids/ids.ts';
import type { VaultScope } from '../scope.ts';
import { purgeLog } from '../store/purge-log.ts';
import { shardKeyOf } from './header-keys.ts';
import type { HeaderKeys } from './keyring-header.ts';

interface KeyRow {
  readonly id: string;
  readonly version: number;
  readonly envelope: Buffer;
}

/**
 * The customers' keys of one tenant: keys.db and the shard keys that open it.
 *
 * Key and data of a customer lie in two files, so a new customer's key is written first, unsettled. It is settled
 * together with the next key, when its data is known to be on the disk; that costs no write of its own. What a crash
 * leaves unsettled and without data is swept at the next start. A settled key without data is kept: it belongs
 * to a data file that is not here (an older copy was put in its place).
 */
export class Keyring {
  readonly #scope: VaultScope;
  readonly #headerKeys: HeaderKeys;
  readonly #database: Database.Database;
  readonly #insert: Statement<[string, string, number, Buffer], unknown>;
  readonly #settle: Statement<[string], unknown>;
  readonly #delete: Statement<[string], unknown>;
  readonly #select: Statement<[string], KeyRow>;
  readonly #unsettled: Statement<[], { customer_id: string }>;
  readonly #erased: Statement<[], { customer_id: string }>;
  readonly #wasErased: Statement<[string], { customer_id: string }>;
  readonly #erase: (customerId: string) => void;
  #stored: string[] = [];

  /**
   * @param headerKeys must hold the shard keys; this object wipes them all
   * @param database keys.db with the schema of keys-schema.ts; this object closes it
   */
  constructor(scope: VaultScope, headerKeys: HeaderKeys, database: Database.Database) {
    this.#scope = scope;
    this.#headerKeys = headerKeys;
    this.#database = database;
    this.#insert = database.prepare(
      'INSERT INTO customer_keys (id, customer_id, version, settled, envelope) VALUES (?, ?, ?, 0, ?) ON CONFLICT (customer_id) DO UPDATE SET id = excluded.id, version = excluded.version, envelope = excluded.envelope WHERE settled = 0',
    );
    this.#settle = database.prepare('UPDATE customer_keys SET settled = 1 WHERE customer_id = ?');
    this.#delete = database.prepare('DELETE FROM customer_keys WHERE customer_id = ?');
    this.#select = database.prepare('SELECT id, version, envelope FROM customer_keys WHERE customer_id = ?');
    this.#unsettled = database.prepare('SELECT customer_id FROM customer_keys WHERE settled = 0');
    this.#erased = database.prepare('SELECT customer_id FROM erased_customers');
    this.#wasErased = database.prepare('SELECT customer_id FROM erased_customers WHERE customer_id = ?');
    const remember = database.prepare<[string]>('INSERT OR IGNORE INTO erased_customers (customer_id) VALUES (?)');
    this.#erase = database.transaction((customerId: string) => {
      this.#delete.run(customerId);
      remember.run(customerId);
    });
  }

  /** Settles or sweeps what the last run left unsettled. @returns the number of keys swept */
  recover(hasData: (customerId: string) => boolean): number {
    const left = this.#unsettled.all().map((row) => row.customer_id);
    const orphans = left.filter((customerId) => !hasData(customerId));
    this.#database.transaction(() => {
      for (const customerId of left) this.#settle.run(customerId);
      for (const customerId of orphans) this.#delete.run(customerId);
    })();
    return orphans.length;
  }

  /**
   * Makes the key of a new customer and puts it on the disk, in the place of one that was made for data which never followed.
   * The caller wipes the returned bytes.
   */
  create(customerId: string): EnvelopeKey {
    const key: EnvelopeKey = { id: newId('cek'), version: 1, holds: 'data', bytes: randomBytes(32) };
    const envelope = sealEnvelope(this.#shardKey(customerId), 'customer-key', this.#context(customerId, key), key.bytes);
    try {
      this.#database.transaction(() => {
        for (const earlier of this.#stored) this.#settle.run(earlier);
        const { changes } = this.#insert.run(key.id, customerId, key.version, envelope);
        if (changes === 0) throw new RangeError('This customer has a key already');
      })();
    } catch (error) {
      key.bytes.fill(0);
      throw error;
    }
    this.#stored = [];
    return key;
  }

  /** The customer's data is on the disk. */
  settleLater(customerId: string): void {
    this.#stored.push(customerId);
  }

  /**
   * @returns the customer's key, whose bytes the caller wipes, or undefined when there is none (erased, or made after this keyring)
   * @throws {SecureGateError} `envelope_rejected`
   */
  open(customerId: string): EnvelopeKey | undefined {
    const row = this.#select.get(customerId);
    if (!row) return undefined;
    const bytes = openEnvelope(this.#shardKey(customerId), 'customer-key', this.#context(customerId, row), row.envelope);
    return { id: row.id, version: row.version, holds: 'data', bytes };
  }

  /** Drops the customer's key for ever: when this returns, nothing of his opens any more, and no file of the keyring holds the key. */
  erase(customerId: string): void {
    this.#erase(customerId);
    purgeLog(this.#database);
  }

  /** Everybody whose key was dropped. */
  erased(): string[] {
    return this.#erased.all().map((row) => row.customer_id);
  }

  wasErased(customerId: string): boolean {
    return this.#wasErased.get(customerId) !== undefined;
  }

  close(): void {
    for (const { bytes } of this.#headerKeys.values()) bytes.fill(0);
    this.#database.close();
  }

  #shardKey(customerId: string): EnvelopeKey {
    const name = shardKeyOf(customerId);
    const key = this.#headerKeys.get(name);
    if (!key) throw new RangeError(`The keyring was built without ${name}`);
    return { id: name, version: key.version, holds: 'keys', bytes: key.bytes };
  }

  /** Bound to the customer and the key's own id and version, not to the epoch: an epoch move leaves these envelopes alone. */
  #context(customerId: string, key: { id: string; version: number }): EnvelopeContext {
    return { org: this.#scope.org, tenant: this.#scope.tenant, customer: customerId, record: `${key.id}/${key.version}` };
  }
}
