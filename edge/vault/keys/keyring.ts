import { randomBytes } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';
import type { EnvelopeContext, EnvelopeKey } from '../../../shared/crypto/envelope.ts';
import { openEnvelope } from '../../../shared/crypto/open-envelope.ts';
import { sealEnvelope } from '../../../shared/crypto/seal-envelope.ts';
import { newId } from '../../../shared/ids/ids.ts';
import type { VaultScope } from '../scope.ts';
import { CustomerKeyStore } from '../store/customer-key-store.ts';
import { ErasureStore } from '../store/erasure-store.ts';
import { FileHold } from '../store/file-hold.ts';
import { purgeLog } from '../store/purge-log.ts';
import { requireIntact } from '../store/require-intact.ts';
import type { HeaderFile } from './header-file.ts';
import type { HeaderKey, HeaderKeys } from './header-key.ts';
import { shardKeyOf } from './header-keys.ts';
import { openIfIntact } from './open-if-intact.ts';
import { wipeKeys } from './wipe-keys.ts';

/** The shard keys of a keyring that was opened; the keyring wipes them. */
export interface ShardKeys {
  readonly keys: HeaderKeys;
  /** Those before them, of shards whose re-keying was cut off. */
  readonly previous: HeaderKeys;
}

/**
 * The customers' keys of one tenant: keys.db and the shard keys that open it.
 *
 * Key and data of a customer lie in two files, so a new customer's key is written first, unsettled. It is settled
 * together with the next key, when its data is known to be on the disk; that costs no write of its own. What a crash
 * leaves unsettled and without data is swept at the next start. A settled key without data is kept: it belongs
 * to a data file that is not here (an older copy was put in its place).
 *
 * To erase a customer is to make older copies of keys.db useless as well, as far as they hold his key. So his shard gets a
 * fresh key, in three steps, each on the disk before the next:
 *   1. header.json holds the shard's new key beside the one before;
 *   2. keys.db, in one transaction: his key is gone, and the other keys of the shard are under the new one;
 *   3. header.json holds the new key alone.
 * After a crash between 1 and 2 he is not erased yet, after 2 he is; what is left to do is done at the next start.
 */
export class Keyring {
  /** keys.db, for whoever copies it. */
  readonly file: FileHold;
  readonly #scope: VaultScope;
  readonly #header: HeaderFile;
  readonly #keys: Map<string, HeaderKey>;
  readonly #previous: Map<string, HeaderKey>;
  readonly #database: Database.Database;
  readonly #store: CustomerKeyStore;
  readonly #erasures: ErasureStore;
  readonly #changes: Statement<[], number>;
  #stored: string[] = [];

  /**
   * @param header is open
   * @param shardKeys this object wipes them all
   * @param database keys.db with the schema of keys-schema.ts; this object closes it
   */
  constructor(scope: VaultScope, header: HeaderFile, { keys, previous }: ShardKeys, database: Database.Database) {
    this.#scope = scope;
    this.#header = header;
    this.#keys = new Map(keys);
    this.#previous = new Map(previous);
    this.#database = database;
    this.file = new FileHold(database);
    this.#changes = database.prepare<[], number>('SELECT total_changes()').pluck();
    this.#store = new CustomerKeyStore(database);
    this.#erasures = new ErasureStore(database);
  }

  /** The epoch of the tenant key under which this keyring is. */
  get epoch(): number {
    return this.#header.epoch;
  }

  /** Grows with every change since the keyring was opened, of keys.db or of the header. */
  get changes(): number {
    return (this.#changes.get() ?? 0) + this.#header.writes;
  }

  /** Grows with every erasure and every move since it was opened: both write the header, and whoever is added does not. */
  get losses(): number {
    return this.#header.writes;
  }

  /** Finishes a re-keying that the last run began, and settles or sweeps what it left unsettled. @returns the number of keys swept */
  recover(hasData: (customerId: string) => boolean): number {
    if (this.#previous.size > 0) this.#leavePrevious(() => undefined);
    const left = this.#store.unsettled();
    const orphans = left.filter((customerId) => !hasData(customerId));
    this.#database.transaction(() => {
      for (const customerId of left) this.#store.settle(shardKeyOf(customerId), customerId);
      for (const customerId of orphans) this.#store.remove(shardKeyOf(customerId), customerId);
    })();
    return orphans.length;
  }

  /**
   * Makes the key of a new customer and puts it on the disk, in the place of one that was made for data which never followed.
   * The caller wipes the returned bytes.
   */
  create(customerId: string): EnvelopeKey {
    const key: EnvelopeKey = { id: newId('cek'), version: 1, holds: 'data', bytes: randomBytes(32) };
    const shard = shardKeyOf(customerId);
    try {
      const row = this.#seal(customerId, key, key.bytes);
      this.#database.transaction(() => {
        for (const earlier of this.#stored) this.#store.settle(shardKeyOf(earlier), earlier);
        if (!this.#store.add(shard, { customer_id: customerId, id: key.id, version: key.version, ...row })) {
          throw new RangeError('This customer has a key already');
        }
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
   * @throws {SecureGateError} `envelope_rejected`, also for a key that is under a shard key of another time
   */
  open(customerId: string): EnvelopeKey | undefined {
    const shard = shardKeyOf(customerId);
    const row = this.#store.find(shard, customerId);
    if (!row) return undefined;
    const previous = this.#previous.get(shard);
    const key = previous?.version === row.shard_version ? previous : this.#shardKey(shard);
    const bytes = openEnvelope(asEnvelopeKey(shard, key), 'customer-key', this.#context(customerId, row), row.envelope);
    return { id: row.id, version: row.version, holds: 'data', bytes };
  }

  /**
   * Drops the customers' keys for ever, and the keys of their shards, each shard's once. When this resolves, nothing of them opens
   * any more: neither with this keyring nor with an older keys.db or header.json in the place of the present one.
   * @param at milliseconds since the Unix epoch
   */
  async erase(customerIds: readonly string[], at: number): Promise<void> {
    if (this.#previous.size > 0) this.#leavePrevious(() => undefined);
    const shards = new Set(customerIds.map(shardKeyOf));
    const fresh = await this.#header.renew([...shards, 'snapshot']);
    for (const [name, key] of fresh) {
      const before = this.#keys.get(name);
      if (!before) {
        key.bytes.fill(0);
        continue;
      }
      this.#previous.set(name, before);
      this.#keys.set(name, key);
    }
    this.#leavePrevious(() => {
      for (const customerId of customerIds) {
        this.#store.remove(shardKeyOf(customerId), customerId);
        this.#erasures.put(customerId, at, this.#header.reach);
      }
    });
  }

  /** Who was erased, and what is known about that. */
  get erasures(): ErasureStore {
    return this.#erasures;
  }

  /** Puts the keyring under the tenant key of the next epoch. The customers' keys are not touched. */
  async moveEpoch(): Promise<void> {
    await this.#header.move();
  }

  /**
   * Brings to an end what was cut off, or was begun by an earlier version, and needs the tenant key: a move to the next epoch, and
   * other keys for the shards of those who were erased without.
   */
  async finish(at: number): Promise<void> {
    await this.#header.finishMove();
    const halfErased = this.#erasures.ofEpoch(0);
    if (halfErased.length > 0) await this.erase(halfErased, at);
  }

  /** Reads every page. @throws {SecureGateError} `vault_corrupt` */
  requireIntact(): void {
    requireIntact(this.#database);
  }

  close(): void {
    this.#header.close();
    wipeKeys(this.#keys);
    wipeKeys(this.#previous);
    this.#database.close();
  }

  /**
   * Steps 2 and 3 of a re-keying. A key that does not open is left as it is: it belongs to a header that is not here.
   * @param change what else happens in the transaction
   */
  #leavePrevious(change: () => void): void {
    this.#database.transaction(() => {
      change();
      for (const [shard, before] of this.#previous) this.#rewrap(shard, before);
    })();
    purgeLog(this.#database);
    this.#header.dropPrevious();
    wipeKeys(this.#previous);
    this.#previous.clear();
  }

  #rewrap(shard: string, before: HeaderKey): void {
    for (const row of this.#store.under(shard, before.version)) {
      const bytes = openIfIntact(asEnvelopeKey(shard, before), 'customer-key', this.#context(row.customer_id, row), row.envelope);
      if (!bytes) continue;
      try {
        const { shard_version, envelope } = this.#seal(row.customer_id, row, bytes);
        this.#store.rewrap(shard, row.customer_id, shard_version, envelope);
      } finally {
        bytes.fill(0);
      }
    }
  }

  #seal(customerId: string, key: { id: string; version: number }, bytes: Buffer): { shard_version: number; envelope: Buffer } {
    const shard = shardKeyOf(customerId);
    const shardKey = this.#shardKey(shard);
    const envelope = sealEnvelope(asEnvelopeKey(shard, shardKey), 'customer-key', this.#context(customerId, key), bytes);
    return { shard_version: shardKey.version, envelope };
  }

  #shardKey(shard: string): HeaderKey {
    const key = this.#keys.get(shard);
    if (!key) throw new RangeError(`The keyring was built without ${shard}`);
    return key;
  }

  /** Bound to the customer and the key's own id and version, not to the epoch: an epoch move leaves these envelopes alone. */
  #context(customerId: string, key: { id: string; version: number }): EnvelopeContext {
    return { org: this.#scope.org, tenant: this.#scope.tenant, customer: customerId, record: `${key.id}/${key.version}` };
  }
}

function asEnvelopeKey(shard: string, { version, bytes }: HeaderKey): EnvelopeKey {
  return { id: shard, version, holds: 'keys', bytes };
}
