import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { newId } from '../../shared/ids/ids.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Sighting } from '../../shared/messages/events.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Consent, requireConsent } from './consent/consent.ts';
import { CustomerRecords, type Profile } from './customer-records.ts';
import { type Candidate, Gallery, type GalleryFace } from './gallery/gallery.ts';
import { createSqliteVecIndex } from './gallery/sqlite-vec-index.ts';
import type { Keyring } from './keys/keyring.ts';
import { StandaloneKeySource } from './keys/standalone-key-source.ts';
import { openVaultFiles } from './open-vault-files.ts';
import { parseScope, type VaultScope } from './scope.ts';
import { asVaultError } from './store/as-vault-error.ts';
import { VaultLock } from './store/vault-lock.ts';
import type { FaceRow, VaultStore } from './store/vault-store.ts';

export interface VaultOptions {
  readonly scope: VaultScope;
  readonly dataDir: string;
  readonly keyDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface NewFace {
  /** L2-normalised. The vault overwrites it when it is stored. */
  readonly embedding: Float32Array;
  readonly model: string;
  readonly quality: number;
}

export interface CustomerSummary {
  readonly customerId: string;
  readonly name: string;
  readonly faces: number;
  readonly consent: Consent;
}

export interface CustomerDetails {
  readonly customerId: string;
  readonly profile: Profile;
  readonly consent: Consent;
  readonly faces: { readonly faceId: string; readonly model: string; readonly quality: number; readonly enrolledAt: string }[];
}

interface OpenFiles {
  readonly scope: VaultScope;
  readonly keyring: Keyring;
  readonly store: VaultStore;
}

/**
 * One tenant's vault: keys, files and gallery, in the process that belongs to this tenant alone.
 * Everything that a method wrote is on the disk when it returns.
 */
export class Vault {
  readonly #options: VaultOptions;
  readonly #gallery = new Gallery(createSqliteVecIndex);
  readonly #rejected = new Set<string>();
  #lock: VaultLock | undefined;
  #files: OpenFiles | undefined;

  constructor(options: VaultOptions) {
    this.#options = options;
  }

  /** Faces that can be candidates now or until their consent ends. */
  get faces(): number {
    return this.#gallery.size;
  }

  /** Records that did not open so far: changed, swapped or damaged. They take part in nothing. */
  get rejected(): number {
    return this.#rejected.size;
  }

  /**
   * Opens the tenant's files (or makes them) and reads the gallery into memory.
   * @throws {SecureGateError} `invalid_id`, and those of openVaultFiles
   */
  async start(): Promise<void> {
    const scope = parseScope(this.#options.scope);
    const { dataDir, keyDir } = this.#options;
    try {
      const tenants = join(dataDir, 'tenants');
      mkdirSync(tenants, { recursive: true, mode: 0o700 });
      this.#lock = new VaultLock(join(tenants, `${scope.tenant}.lock`));
      this.#lock.acquire();
      const source = new StandaloneKeySource({ keyDir, dataDir, tenant: scope.tenant });
      this.#files = { scope, ...(await openVaultFiles(join(tenants, scope.tenant), scope, source)) };
      this.#read();
    } catch (error) {
      this.stop();
      throw asVaultError(error);
    }
  }

  stop(): void {
    this.#gallery.clear();
    this.#files?.store.close();
    this.#files?.keyring.close();
    this.#files = undefined;
    this.#lock?.release();
    this.#lock = undefined;
  }

  /** @throws {SecureGateError} `consent_missing`, `consent_expired`, `storage_failed` */
  enrolCustomer(customer: { profile: Profile; consent: Consent; faces: readonly NewFace[] }): { customerId: string; faceIds: string[] } {
    const { scope, keyring, store } = this.#opened();
    requireConsent(customer.consent, this.#options.clock.now());
    const customerId = newId('customer');
    using records = new CustomerRecords(scope, customerId, keyring.create(customerId));
    const faces = customer.faces.map((face) => this.#sealFace(records, face));
    // If this fails, the key stays unsettled and is swept at the next start.
    store.addCustomer({
      id: customerId,
      profile: records.sealProfile(customer.profile),
      consent: records.sealConsent(customer.consent, undefined),
      faces: faces.map(({ row }) => row),
    });
    keyring.settleLater(customerId);
    this.#admit(customerId, customer.consent, faces);
    return { customerId, faceIds: faces.map(({ faceId }) => faceId) };
  }

  /** @throws {SecureGateError} `customer_not_found`, `consent_missing`, `consent_expired`, `envelope_rejected`, `storage_failed` */
  addFace(customerId: string, face: NewFace): { faceId: string } {
    const { store } = this.#opened();
    using records = this.#recordsOf(customerId);
    const newest = records.newestConsent(store.consents(customerId));
    requireConsent(newest?.consent, this.#options.clock.now());
    const sealed = this.#sealFace(records, face);
    store.addFace(customerId, sealed.row);
    if (newest) this.#admit(customerId, newest.consent, [sealed]);
    return { faceId: sealed.faceId };
  }

  /**
   * From now on the new consent counts alone. Faces that left the gallery with the old one come back.
   * @throws {SecureGateError} `customer_not_found`, `consent_missing`, `consent_expired`, `envelope_rejected`, `storage_failed`
   */
  recordConsent(customerId: string, consent: Consent): void {
    const { store } = this.#opened();
    requireConsent(consent, this.#options.clock.now());
    using records = this.#recordsOf(customerId);
    const earlier = records.newestConsent(store.consents(customerId));
    store.addConsent(customerId, records.sealConsent(consent, earlier));
    this.#gallery.remove(customerId);
    this.#admit(customerId, consent, this.#openFaces(records, store.faces(customerId)));
  }

  /** For each embedding the `limit` most similar customers whose consent holds, best first. */
  search(query: { embeddings: readonly Float32Array[]; model: string; limit: number }): Candidate[][] {
    const now = this.#options.clock.now();
    return query.embeddings.map((embedding) => this.#gallery.search(query.model, embedding, query.limit, now));
  }

  /**
   * Stores the sighting of a customer, under his key. Of people who matched nobody nothing is kept.
   * @throws {SecureGateError} `invalid_request` (another tenant's), `customer_not_found`, `envelope_rejected`, `storage_failed`
   */
  recordSighting(sighting: Sighting): void {
    const { scope, store } = this.#opened();
    if (sighting.tenant !== scope.tenant) throw new SecureGateError('invalid_request', 'This sighting belongs to another tenant');
    if (sighting.outcome !== 'person' || sighting.customerId === null) return;
    using records = this.#recordsOf(sighting.customerId);
    store.addSighting(sighting.customerId, records.sealSighting(sighting));
  }

  /** @throws {SecureGateError} `customer_not_found`, `envelope_rejected` */
  listSightings(customerId: string): Sighting[] {
    const { store } = this.#opened();
    using records = this.#recordsOf(customerId);
    return store.sightings(customerId).map((row) => records.openSighting(row));
  }

  /** Customers whose records do not open are left out; the log names them. */
  listCustomers(): CustomerSummary[] {
    const { scope, keyring, store } = this.#opened();
    const customers: CustomerSummary[] = [];
    for (const customerId of store.customerIds()) {
      this.#skipRejected(customerId, () => {
        const key = keyring.open(customerId);
        if (!key) return;
        using records = new CustomerRecords(scope, customerId, key);
        const { profile, consent } = this.#openPerson(records, customerId);
        customers.push({ customerId, name: profile.name, faces: store.faces(customerId).length, consent });
      });
    }
    return customers;
  }

  /** @throws {SecureGateError} `customer_not_found`, `envelope_rejected` */
  getCustomer(customerId: string): CustomerDetails {
    const { store } = this.#opened();
    using records = this.#recordsOf(customerId);
    const faces = store.faces(customerId).map((row) => {
      const { embedding, quality, enrolledAt } = records.openFace(row);
      embedding.fill(0);
      return { faceId: row.id, model: row.model, quality, enrolledAt: new Date(enrolledAt).toISOString() };
    });
    return { customerId, ...this.#openPerson(records, customerId), faces };
  }

  /** Reads every face whose consent holds into the gallery. */
  #read(): void {
    const { scope, keyring, store } = this.#opened();
    const swept = keyring.recover((customerId) => store.profile(customerId) !== undefined);
    const now = this.#options.clock.now();
    let erased = 0;
    for (const customerId of store.customerIds()) {
      this.#skipRejected(customerId, () => {
        const key = keyring.open(customerId);
        if (!key) {
          erased += 1;
          return;
        }
        using records = new CustomerRecords(scope, customerId, key);
        const newest = records.newestConsent(store.consents(customerId));
        if (!newest || now >= Date.parse(newest.consent.expiresAt)) return;
        this.#admit(customerId, newest.consent, this.#openFaces(records, store.faces(customerId)));
      });
    }
    this.#options.logger.info({ tenant: scope.tenant, faces: this.faces, rejected: this.rejected, erased, swept }, 'vault opened');
  }

  #openPerson(records: CustomerRecords, customerId: string): { profile: Profile; consent: Consent } {
    const { store } = this.#opened();
    const profile = store.profile(customerId);
    const newest = records.newestConsent(store.consents(customerId));
    if (!profile || !newest) throw new SecureGateError('envelope_rejected', 'A sealed record is missing', { details: { customerId } });
    return { profile: records.openProfile(profile), consent: newest.consent };
  }

  #openFaces(records: CustomerRecords, rows: readonly FaceRow[]): GalleryFace[] {
    const faces: GalleryFace[] = [];
    for (const row of rows) {
      this.#skipRejected(row.id, () => {
        faces.push({ faceId: row.id, model: row.model, embedding: records.openFace(row).embedding });
      });
    }
    return faces;
  }

  #sealFace(records: CustomerRecords, face: NewFace): GalleryFace & { row: FaceRow } {
    const { embedding, model, quality } = face;
    const row = records.sealFace({ embedding, quality, enrolledAt: this.#options.clock.now() }, model);
    return { row, faceId: row.id, model, embedding };
  }

  /** The gallery has its own copy afterwards; this one is overwritten. */
  #admit(customerId: string, consent: Consent, faces: readonly GalleryFace[]): void {
    this.#gallery.admit(customerId, Date.parse(consent.expiresAt), faces);
    for (const { embedding } of faces) embedding.fill(0);
  }

  #recordsOf(customerId: string): CustomerRecords {
    const { scope, keyring, store } = this.#opened();
    // No key: the customer was erased, whatever an older data file still holds.
    const key = store.profile(customerId) && keyring.open(customerId);
    if (!key) throw new SecureGateError('customer_not_found', 'No such customer', { details: { customerId } });
    return new CustomerRecords(scope, customerId, key);
  }

  /** One record that was tampered with must not take the others with it. */
  #skipRejected(id: string, read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof SecureGateError) || error.code !== 'envelope_rejected') throw error;
      this.#rejected.add(id);
      this.#options.logger.error({ id, code: error.code }, 'a sealed record does not open and is left out');
    }
  }

  #opened(): OpenFiles {
    if (!this.#files) throw new SecureGateError('vault_unavailable', 'The vault is not open');
    return this.#files;
  }
}
