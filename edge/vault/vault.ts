import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { newUlid } from '../../shared/ids/ulid.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Sighting } from '../../shared/messages/events.ts';
import type { Clock } from '../runtime/clock.ts';
import { CustomerAccess } from './customers/customer-access.ts';
import { Customers } from './customers/customers.ts';
import { Directory } from './customers/directory.ts';
import { Faces } from './customers/faces.ts';
import { Erasures } from './erasures/erasures.ts';
import { type Examination, examine } from './examine.ts';
import { Gallery } from './gallery/gallery.ts';
import { createSqliteVecIndex } from './gallery/sqlite-vec-index.ts';
import type { HeaderKey } from './keys/header-key.ts';
import type { KeySource } from './keys/key-source.ts';
import type { Keyring } from './keys/keyring.ts';
import { openVaultFiles } from './open-vault-files.ts';
import { Outbox } from './outbox/outbox.ts';
import type { Gives, OutboxSettings, Taken } from './protocol.ts';
import { Records } from './records/records.ts';
import { parseScope, type VaultScope } from './scope.ts';
import { Retention } from './sightings/retention.ts';
import { Sightings } from './sightings/sightings.ts';
import { asVaultError } from './store/as-vault-error.ts';
import { CustomerStore } from './store/customer-store.ts';
import { FileHold } from './store/file-hold.ts';
import type { OutboxSize } from './store/outbox-store.ts';
import { RecordStore } from './store/record-store.ts';
import { requireIntact } from './store/require-intact.ts';
import { SealedRows } from './store/sealed-rows.ts';
import { SightingStore } from './store/sighting-store.ts';
import { UsageStore } from './store/usage-store.ts';
import { VaultLock } from './store/vault-lock.ts';
import { UsageCounters } from './usage/usage-counters.ts';

export interface VaultOptions {
  readonly scope: VaultScope;
  readonly dataDir: string;
  /** Where the tenant's key comes from. */
  readonly source: KeySource;
  /** What may wait for the control plane; undefined where it does not know this tenant. */
  readonly outbox?: OutboxSettings | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface OpenVault {
  readonly keyring: Keyring;
  readonly database: Database.Database;
  /** vault.db, for whoever copies it. */
  readonly file: FileHold;
  readonly store: CustomerStore;
  readonly access: CustomerAccess;
  readonly customers: Customers;
  readonly erasures: Erasures;
  readonly faces: Faces;
  readonly sightings: Sightings;
  readonly retention: Retention;
  readonly records: Records;
  readonly usage: UsageCounters;
  readonly outbox: Outbox;
}

/**
 * One tenant's vault: keys, files, gallery and names, in the process that belongs to this tenant alone.
 * Everything that its parts wrote is on the disk when they return; only usage counters wait a little.
 */
export class Vault {
  readonly #options: VaultOptions;
  readonly #gallery = new Gallery(createSqliteVecIndex);
  readonly #directory = new Directory();
  #lock: VaultLock | undefined;
  #open: OpenVault | undefined;
  /** Erased customers of whom an older data file still held something at the start. */
  #swept = 0;

  constructor(options: VaultOptions) {
    this.#options = options;
  }

  /** Faces that can be candidates now or until their consent ends. */
  get faceCount(): number {
    return this.#gallery.size;
  }

  /** Records that did not open so far: changed, swapped or damaged. They take part in nothing. */
  get rejected(): number {
    return this.#open?.access.rejected ?? 0;
  }

  /** Whether the disk took the last counts; they are written every few seconds, for as long as anything is counted. */
  get writable(): boolean {
    return !(this.#open?.usage.failing ?? false);
  }

  /** Sightings that wait to be told to the control plane, and those that had no room, ever. */
  get outboxSize(): OutboxSize | undefined {
    return this.#open?.outbox.size;
  }

  /** Of the tenant key in use; null until it is open. */
  get epoch(): number | null {
    return this.#open?.keyring.epoch ?? null;
  }

  /** Grows with every change of the keyring since the start. */
  get keyringChanges(): number {
    return this.#open?.keyring.changes ?? 0;
  }

  /** Grows with every change by which the keyring lost something. */
  get keyringLosses(): number {
    return this.#open?.keyring.losses ?? 0;
  }

  get customers(): Customers {
    return this.#opened().customers;
  }

  get erasures(): Erasures {
    return this.#opened().erasures;
  }

  get faces(): Faces {
    return this.#opened().faces;
  }

  get sightings(): Sightings {
    return this.#opened().sightings;
  }

  get retention(): Retention {
    return this.#opened().retention;
  }

  get records(): Records {
    return this.#opened().records;
  }

  get usage(): UsageCounters {
    return this.#opened().usage;
  }

  get outbox(): Outbox {
    return this.#opened().outbox;
  }

  /**
   * Opens the tenant's files (or makes them) and reads gallery and names into memory.
   * @throws {SecureGateError} `invalid_id`, and those of openVaultFiles
   */
  async start(): Promise<void> {
    const scope = parseScope(this.#options.scope);
    const { dataDir, source, logger } = this.#options;
    try {
      const tenants = join(dataDir, 'tenants');
      mkdirSync(tenants, { recursive: true, mode: 0o700 });
      this.#lock = new VaultLock(join(tenants, `${scope.tenant}.lock`));
      this.#lock.acquire();
      const { keyring, database, outboxKey } = await openVaultFiles(join(tenants, scope.tenant), scope, source);
      this.#open = this.#build(scope, keyring, database, outboxKey);
      const swept = this.customers.read();
      this.#swept = swept.erased;
      logger.info({ tenant: scope.tenant, faces: this.faceCount, rejected: this.rejected, swept }, 'vault opened');
      await this.#finish(keyring);
    } catch (error) {
      this.stop();
      throw asVaultError(error);
    }
  }

  /** Keeps a sighting and has it told to the control plane: both, or neither. @throws {SecureGateError} those of Sightings.record */
  recordSighting(sighting: Sighting): void {
    const { database, sightings, outbox } = this.#opened();
    database.transaction(() => {
      sightings.record(sighting);
      outbox.put(sighting);
    })();
  }

  /**
   * Puts the keyring under the tenant key of the next epoch.
   * @param erasedBefore only if somebody was erased before this time whom the present key may bring back
   * @throws {SecureGateError} `storage_failed`, those of the key source
   */
  async moveEpoch({ erasedBefore }: Taken<'moveEpoch'>): Promise<Gives<'moveEpoch'>> {
    const { keyring, erasures } = this.#opened();
    const { clock, logger, scope } = this.#options;
    const { epoch } = keyring;
    await keyring.finish(clock.now());
    // A move that was cut off and is finished now is the one that is asked for, unless somebody was erased in the midst of it.
    const unasked = erasedBefore !== undefined || keyring.epoch > epoch;
    if (!unasked || erasures.awaitMove(erasedBefore === undefined ? clock.now() : Date.parse(erasedBefore))) await keyring.moveEpoch();
    const moved = keyring.epoch > epoch;
    if (moved) {
      logger.info({ tenant: scope.tenant, epoch: keyring.epoch }, 'the tenant has another key; copies of the one before open nothing here');
    }
    return { epoch: keyring.epoch, moved };
  }

  /** One of the vault's two databases, for whoever copies it. */
  file(name: 'data' | 'keyring'): FileHold {
    const { file, keyring } = this.#opened();
    return name === 'data' ? file : keyring.file;
  }

  /**
   * Reads every page and opens every record: takes long, and nobody else is answered meanwhile.
   * @returns what was found; `erased` were removed at the start, since data of an older time still held them
   * @throws {SecureGateError} `vault_corrupt`
   */
  examine(): Examination & { erased: number } {
    const { database, keyring, access, store } = this.#opened();
    keyring.requireIntact();
    requireIntact(database);
    return { ...examine(access, store, new SealedRows(database)), erased: this.#swept };
  }

  stop(): void {
    this.#gallery.clear();
    this.#directory.clear();
    this.#open?.retention.stop();
    this.#open?.usage.stop();
    this.#open?.outbox.stop();
    this.#open?.database.close();
    this.#open?.keyring.close();
    this.#open = undefined;
    this.#lock?.release();
    this.#lock = undefined;
  }

  /** What was cut off waits for the tenant key. The vault works without, and the next move of the epoch tries again. */
  async #finish(keyring: Keyring): Promise<void> {
    const { clock, logger, scope } = this.#options;
    try {
      await keyring.finish(clock.now());
    } catch (error) {
      logger.error({ err: asVaultError(error), tenant: scope.tenant }, 'a move to another tenant key was not finished yet');
    }
  }

  #build(scope: VaultScope, keyring: Keyring, database: Database.Database, outboxKey: HeaderKey): OpenVault {
    const { outbox: settings, clock, logger } = this.#options;
    // What is not needed is not kept.
    if (settings === undefined) outboxKey.bytes.fill(0);
    const run = settings && newUlid(clock.now());
    const store = new CustomerStore(database);
    const access = new CustomerAccess(scope, keyring, store, logger);
    const faces = new Faces(access, store, this.#gallery, clock);
    const sightingStore = new SightingStore(database);
    const retention = new Retention(access, sightingStore, clock, logger);
    return {
      keyring,
      database,
      file: new FileHold(database),
      store,
      access,
      faces,
      erasures: new Erasures(keyring.erasures, () => keyring.epoch, clock),
      customers: new Customers({ scope, keyring, store, access, faces, directory: this.#directory, clock }),
      sightings: new Sightings(scope, access, sightingStore, retention),
      retention,
      records: new Records(access, new RecordStore(database)),
      usage: new UsageCounters(new UsageStore(database, run), clock, logger),
      outbox: new Outbox({ scope, key: outboxKey, database, settings, logger }),
    };
  }

  #opened(): OpenVault {
    if (!this.#open) throw new SecureGateError('vault_unavailable', 'The vault is not open');
    return this.#open;
  }
}
