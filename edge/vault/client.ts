import { createReadStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { SightingReport } from '../../shared/fleet/sighting-batch.ts';
import type { UsageOfRun } from '../../shared/fleet/usage-batch.ts';
import type { Sighting } from '../../shared/messages/events.ts';
import { SerialWork } from '../../shared/runtime/serial-work.ts';
import { LeasedVault } from './leased-vault.ts';
import type { Gives, Takes } from './protocol.ts';
import type { VaultFiles } from './store/vault-files.ts';

export type { LeaseSettings, LeaseView, OutboxSettings } from './protocol.ts';
export { tenantFiles, type VaultState } from './vault-keeper.ts';

/** Hears of a customer whose consent was withdrawn, or who was removed. */
export type GoneListener = (customerId: string) => void;

export type Enrolment = Takes<'enrolCustomer'>;
export type Face = Takes<'addFace'>['face'];
export type Consent = Takes<'recordConsent'>['consent'];
export type Candidate = Gives<'search'>[number][number];
export type CustomerView = Gives<'changeProfile'>;
export type CustomerDetails = Gives<'getCustomer'>;
export type ProfileChange = Takes<'changeProfile'>['change'];
export type CustomersQuery = Takes<'listCustomers'>;
export type Erasure = Gives<'listErasures'>['items'][number];
export type SightingsQuery = Takes<'listSightings'>;
export type UsageDay = Gives<'usage'>[number];
export type Examination = Gives<'examine'>;
export type HeldFile = Takes<'holdFile'>['file'];

/** One page of a list. `next` is the cursor of the following page, null at the end; a page before it can hold less than was asked for. */
export interface Page<Item> {
  readonly items: Item[];
  readonly next: string | null;
}

/** A record of the venue. `data` is what the caller gave; he checks it by his own schema. */
export interface VaultRecord {
  readonly id: string;
  readonly version: number;
  /** Whom it is about; null for a record about nobody. */
  readonly customerId: string | null;
  readonly data: unknown;
}

/**
 * The operations of one tenant's vault. Neither keys nor stored embeddings ever come to this side.
 *
 * Every operation can also fail with `vault_unavailable` (not ready, or it ended before it answered; a write may then
 * have happened or not), `lease_missing`, `lease_ended` (closed until a lease comes), `overloaded` and `invalid_request`.
 */
export class VaultClient extends LeasedVault {
  readonly #goneListeners = new Set<GoneListener>();
  readonly #holds = { data: new SerialWork(), keyring: new SerialWork() };

  /** @returns ends the listening */
  onGone(listener: GoneListener): () => void {
    this.#goneListeners.add(listener);
    return () => void this.#goneListeners.delete(listener);
  }

  /**
   * Stores a customer with consent and faces (or none yet), whole or not at all; on the disk when it resolves.
   * @throws {SecureGateError} `conflict` (there is or was a customer of this id), `consent_missing`, `consent_expired`, `storage_failed`
   */
  enrolCustomer(enrolment: Enrolment): Promise<Gives<'enrolCustomer'>> {
    return this.call('enrolCustomer', enrolment);
  }

  /**
   * Customers, the newest first. `query` keeps those in whose name each of its words occurs, whatever its case and accents.
   * Customers whose records do not open are left out; the vault's log names them.
   */
  listCustomers(query: CustomersQuery): Promise<Page<CustomerView>> {
    return this.call('listCustomers', query);
  }

  /** @throws {SecureGateError} `customer_not_found`, `envelope_rejected` */
  getCustomer(customerId: string): Promise<CustomerDetails> {
    return this.call('getCustomer', { customerId });
  }

  /** Names by the customers' ids. Customers who are gone are left out, and those whose records do not open; the vault's log names these. */
  async customerNames(customerIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const named = await this.call('customerNames', { customerIds: [...customerIds] });
    return new Map(named.map(({ customerId, name }) => [customerId, name]));
  }

  /**
   * Changes what is named; a contact of null is taken away.
   * @param version that of the customer on which the change is based; without it the change is made in any case
   * @throws {SecureGateError} `customer_not_found`, `version_conflict`, `envelope_rejected`, `storage_failed`
   */
  changeProfile(customerId: string, change: ProfileChange, version?: number): Promise<CustomerView> {
    return this.call('changeProfile', { customerId, change, version });
  }

  /**
   * From then on the new consent counts alone.
   * @throws {SecureGateError} `customer_not_found`, `consent_missing`, `consent_expired`, `envelope_rejected`, `storage_failed`
   */
  async recordConsent(customerId: string, consent: Consent): Promise<void> {
    await this.call('recordConsent', { customerId, consent });
  }

  /**
   * From then on the customer is never a candidate, and nobody in view is called by his name any more, until a new consent is recorded. His records are kept.
   * A consent that was withdrawn before stays so.
   * @throws {SecureGateError} `customer_not_found`, `consent_missing` (there is none), `envelope_rejected`, `storage_failed`
   */
  async withdrawConsent(customerId: string): Promise<void> {
    await this.call('withdrawConsent', { customerId });
    this.#tellGone(customerId);
  }

  /**
   * Removes a customer with everything about him: first his key, so that nothing of him opens any more, then faces,
   * consents, sightings and records. Begun, it is finished even if the box loses power in between. Resolves when whoever follows
   * the keyring has followed.
   * @throws {SecureGateError} `customer_not_found`, `version_conflict`, `storage_failed`
   */
  async removeCustomer(customerId: string, version?: number): Promise<void> {
    await this.call('removeCustomer', { customerId, version });
    this.#tellGone(customerId);
    await this.keyring.followed;
  }

  /**
   * Removes several customers at once, as `removeCustomer` does one. Who was erased before is told of again.
   * @throws {SecureGateError} `customer_not_found` (then nobody is removed), `storage_failed`
   */
  async eraseCustomers(customerIds: readonly string[]): Promise<Erasure[]> {
    const erasures = await this.call('eraseCustomers', { customerIds: [...customerIds] });
    for (const customerId of customerIds) this.#tellGone(customerId);
    await this.keyring.followed;
    return erasures;
  }

  /** Who was erased, the last first. */
  listErasures(page: Takes<'listErasures'>): Promise<Page<Erasure>> {
    return this.call('listErasures', page);
  }

  /**
   * Gives the tenant the key of the next epoch, so that older copies of its files open no more with the key that is on the box.
   * @param erasedBefore ISO 8601; only if somebody was erased before this time and no other key has come since
   * @throws {SecureGateError} `storage_failed`, those of the key's source
   */
  async moveEpoch(erasedBefore?: string): Promise<Gives<'moveEpoch'>> {
    const moved = await this.call('moveEpoch', { erasedBefore });
    await this.keyring.followed;
    return moved;
  }

  /** Takes down the KMS's word about the keys of earlier epochs; `listErasures` tells it from then on. */
  async recordReceipt(receipt: Takes<'recordReceipt'>): Promise<void> {
    await this.call('recordReceipt', receipt);
  }

  /** @throws {SecureGateError} `customer_not_found`, `consent_missing`, `consent_expired`, `envelope_rejected`, `storage_failed` */
  addFace(customerId: string, face: Face): Promise<Gives<'addFace'>> {
    return this.call('addFace', { customerId, face });
  }

  /** @throws {SecureGateError} `customer_not_found`, `record_not_found`, `storage_failed` */
  async removeFace(customerId: string, faceId: string): Promise<void> {
    await this.call('removeFace', { customerId, faceId });
  }

  /**
   * Picture of an enrolled face (JPEG), as it was given.
   * @throws {SecureGateError} `customer_not_found`, `record_not_found` (no such face, or without a picture), `envelope_rejected`
   */
  facePicture(customerId: string, faceId: string): Promise<Buffer> {
    return this.call('facePicture', { customerId, faceId });
  }

  /**
   * For each embedding (512 numbers, L2-normalised) the `limit` most similar customers whose consent holds, best first,
   * each with his most similar face. Faces of other models are never compared.
   */
  search(query: { embeddings: Float32Array[]; model: string; limit: number }): Promise<Candidate[][]> {
    return this.call('search', query);
  }

  /**
   * Compares an embedding (512 numbers, L2-normalised) with one customer's own faces of this model, whoever else looks more alike.
   * `score`: cosine similarity with the nearest of them, -1..1.
   * @throws {SecureGateError} `customer_not_found`, `consent_missing`, `consent_expired`, `record_not_found` (he has no face of
   * this model), `envelope_rejected`
   */
  verify(query: Takes<'verify'>): Promise<Gives<'verify'>> {
    return this.call('verify', query);
  }

  /**
   * Keeps a sighting: that of a customer under his key; of people who matched nobody only what the sighting says, which holds
   * nothing of the face. Reported again under the same id, the later report counts.
   * @throws {SecureGateError} `customer_not_found`, `envelope_rejected`, `storage_failed`
   */
  async recordSighting(sighting: Sighting): Promise<void> {
    await this.call('recordSighting', sighting);
  }

  /**
   * Sightings, the last recorded first. `from` (included) and `to` (not included) are compared with `endedAt`.
   * One page looks at a limited number of sightings, so it can hold few or none although more follow: `next` tells.
   */
  listSightings(query: SightingsQuery): Promise<Page<Sighting>> {
    return this.call('listSightings', query);
  }

  /**
   * From now on, sightings are kept for so many days (UTC), the present one among them. Older ones are listed no more and are
   * removed from the disk, a few at a time. A vault that has not been told keeps all: it has to be told whenever it opens.
   */
  async keepSightings(days: number): Promise<void> {
    await this.call('keepSightings', { days });
  }

  /**
   * Adds a record of the caller's own kind.
   * @param data checked by the caller, JSON of at most 64 KiB
   * @param about `customerId`: whom the record is about; then it is sealed under his key and goes with him
   * @throws {SecureGateError} `conflict` (there is a record of this id), `customer_not_found`, `storage_failed`
   */
  addRecord(
    kind: string,
    data: object,
    about: { id?: string | undefined; customerId?: string | undefined } = {},
  ): Promise<{ id: string; version: number }> {
    return this.call('addRecord', { kind, json: JSON.stringify(data), ...about });
  }

  /** @throws {SecureGateError} `record_not_found`, `envelope_rejected` */
  async getRecord(kind: string, id: string): Promise<VaultRecord> {
    return opened(await this.call('getRecord', { kind, id }));
  }

  /** Records of one kind, the newest first. Those that do not open are left out; the vault's log names them. */
  async listRecords(kind: string, page: { cursor?: string | undefined; limit: number }): Promise<Page<VaultRecord>> {
    const { items, next } = await this.call('listRecords', { kind, ...page });
    return { items: items.map(opened), next };
  }

  /**
   * Replaces a record's data.
   * @param version that of the record on which the change is based; without it the change is made in any case
   * @param customerId whom the new data is about: a record stays with the customer for whom it was made, or with nobody
   * @throws {SecureGateError} `record_not_found`, `version_conflict`, `conflict` (another customer), `envelope_rejected`, `storage_failed`
   */
  changeRecord(kind: string, id: string, data: object, version?: number, customerId?: string): Promise<{ id: string; version: number }> {
    return this.call('changeRecord', { kind, id, json: JSON.stringify(data), version, customerId });
  }

  /** @throws {SecureGateError} `record_not_found`, `version_conflict`, `storage_failed` */
  async removeRecord(kind: string, id: string, version?: number): Promise<void> {
    await this.call('removeRecord', { kind, id, version });
  }

  /** Adds to a counter of today (UTC). Counts reach the disk some seconds later: a crash can lose these, never more. */
  async count(counter: string, by = 1): Promise<void> {
    await this.call('count', { counter, by });
  }

  /** Counters of the days (UTC, `2026-11-21`) from `from` to `to`, both included, that counted anything; oldest first. */
  usage(range: { from: string; to: string }): Promise<UsageDay[]> {
    return this.call('usage', range);
  }

  /** Sightings that wait to be told to the control plane, those first that have waited longest; of so many bytes. They stay until they are told. */
  untoldSightings(bytes: number): Promise<SightingReport[]> {
    return this.call('untoldSightings', { bytes });
  }

  /** The control plane has written down these sightings. */
  async toldSightings(ids: readonly string[]): Promise<void> {
    await this.call('toldSightings', { ids: [...ids] });
  }

  /** Usage that the control plane has not written down. */
  untoldUsage(): Promise<UsageOfRun[]> {
    return this.call('untoldUsage', {});
  }

  /** The control plane has written down these amounts. */
  async toldUsage(days: readonly UsageOfRun[]): Promise<void> {
    await this.call('toldUsage', { days: [...days] });
  }

  /**
   * Lets one of the vault's databases be copied as it lies on the disk, encrypted, while the vault goes on: `copy` gets its place.
   * One copy at a time; the next one waits.
   * @throws {SecureGateError} `copy_outdated` when something was removed from the file meanwhile: what was copied is not whole
   */
  whileHeld<Result>(file: HeldFile, copy: (files: VaultFiles) => Promise<Result>): Promise<Result> {
    return this.#holds[file].run(async () => {
      await this.call('holdFile', { file });
      let unchanged = false;
      let result: Result;
      try {
        result = await copy(this.files);
      } finally {
        ({ unchanged } = await this.call('releaseFile', { file }));
      }
      if (!unchanged) throw new SecureGateError('copy_outdated', 'Something was removed while the file was copied');
      return result;
    });
  }

  /**
   * Writes the data, encrypted as they are and without the keyring. The stream is ended if they are whole, and whoever follows the keyring
   * has the keys of all of them; it is destroyed if not.
   * @throws {SecureGateError} `copy_outdated`
   */
  async copyData(to: Writable): Promise<void> {
    try {
      await this.whileHeld('data', ({ vaultDb }) => pipeline(createReadStream(vaultDb), to, { end: false }));
      await this.keyring.follow();
      to.end();
    } catch (error) {
      to.destroy(SecureGateError.from(error));
      throw error;
    }
  }

  /**
   * Reads and opens everything there is, for the test of a backup: nobody else is answered meanwhile.
   * `erased` were found in data of an older time and removed; those who are `keyless` belong to another keyring.
   * @throws {SecureGateError} `vault_corrupt`
   */
  examine(): Promise<Examination> {
    return this.call('examine', {});
  }

  #tellGone(customerId: string): void {
    for (const listener of this.#goneListeners) listener(customerId);
  }
}

function opened({ json, ...record }: Gives<'getRecord'>): VaultRecord {
  return { ...record, data: JSON.parse(json) };
}
