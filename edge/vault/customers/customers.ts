import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { newId } from '../../../shared/ids/ids.ts';
import type { Clock } from '../../runtime/clock.ts';
import { consentStateOf, requireConsent } from '../consent/consent.ts';
import { cursorAt, positionOf } from '../cursor.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Gives, Taken } from '../protocol.ts';
import { requireVersion } from '../require-version.ts';
import type { VaultScope } from '../scope.ts';
import type { CustomerStore } from '../store/customer-store.ts';
import type { CustomerAccess } from './customer-access.ts';
import { CustomerRecords } from './customer-records.ts';
import type { Directory } from './directory.ts';
import type { Faces } from './faces.ts';
import { changedProfile } from './profile.ts';

type CustomerView = Gives<'changeProfile'>;

export interface CustomersOptions {
  readonly scope: VaultScope;
  readonly keyring: Keyring;
  readonly store: CustomerStore;
  readonly access: CustomerAccess;
  readonly faces: Faces;
  readonly directory: Directory;
  readonly clock: Clock;
}

/** Customers of one tenant with their consents. */
export class Customers {
  readonly #options: CustomersOptions;

  constructor(options: CustomersOptions) {
    this.#options = options;
  }

  /**
   * Brings what a killed run began to its end, then reads names and faces into memory.
   * @returns how many keys and how many erased customers were swept
   */
  read(): { keys: number; erased: number } {
    const { keyring, store, access, faces, directory } = this.#options;
    const keys = keyring.recover((customerId) => store.customer(customerId) !== undefined);
    const erased = keyring.erasures.all().filter((customerId) => store.customer(customerId) !== undefined);
    store.removeCustomers(erased);
    for (const { id, position } of store.customers()) {
      access.skipRejected(id, () => {
        using records = access.find(id);
        const profile = store.customer(id)?.profile;
        if (!records || !profile) return;
        access.skipRejected(id, () => directory.add(position, id, records.openProfile(profile).name));
        faces.admitHolding(records, id);
      });
    }
    return { keys, erased: erased.length };
  }

  /** @throws {SecureGateError} `conflict`, `consent_missing`, `consent_expired`, `storage_failed` */
  enrol({ customerId = newId('customer'), profile, consent, faces: given }: Taken<'enrolCustomer'>): {
    customerId: string;
    faceIds: string[];
  } {
    const { scope, keyring, store, faces, directory, clock } = this.#options;
    // Rows of somebody who was erased are removed wherever they turn up.
    if (store.customer(customerId) || keyring.erasures.find(customerId)) {
      throw new SecureGateError('conflict', 'There is or was a customer of this id', { details: { customerId } });
    }
    requireConsent(consent, clock.now());
    using records = new CustomerRecords(scope, customerId, keyring.create(customerId));
    const sealed = given.map((face) => faces.seal(records, face));
    // If this fails, the key stays unsettled: it gives way to another one of this customer, or is swept at the next start.
    const position = store.addCustomer({
      id: customerId,
      profile: records.sealProfile(profile),
      consent: records.sealConsent({ sequence: 1, consent }),
      faces: sealed.map(({ row }) => row),
    });
    keyring.settleLater(customerId);
    directory.add(position, customerId, profile.name);
    faces.admit(customerId, consent, sealed);
    return { customerId, faceIds: sealed.map(({ faceId }) => faceId) };
  }

  /** The newest first. Customers whose records do not open are left out; the log names them. */
  list({ query = '', cursor, limit }: Taken<'listCustomers'>): { items: CustomerView[]; next: string | null } {
    const { access, directory } = this.#options;
    const items: CustomerView[] = [];
    let last = 0;
    for (const { position, customerId } of directory.find(query, positionOf(cursor))) {
      if (items.length === limit) return { items, next: cursorAt(last) };
      last = position;
      const view = access.skipRejected(customerId, () => this.#viewIfKept(customerId));
      if (view) items.push(view);
    }
    return { items, next: null };
  }

  /** @throws {SecureGateError} `customer_not_found`, `envelope_rejected` */
  get({ customerId }: Taken<'getCustomer'>): Gives<'getCustomer'> {
    const { access, store } = this.#options;
    using records = access.open(customerId);
    const faceList = store.faces(customerId).map((row) => {
      const { embedding, quality, enrolledAt } = records.openFace(row);
      embedding.fill(0);
      return {
        faceId: row.id,
        model: row.model,
        quality,
        enrolledAt: new Date(enrolledAt).toISOString(),
        hasPicture: row.has_picture === 1,
      };
    });
    return { ...this.#view(records, customerId), faceList };
  }

  /** Opens nothing but profiles. Customers who are gone are left out, and those whose records do not open; the log names these. */
  names({ customerIds }: Taken<'customerNames'>): Gives<'customerNames'> {
    const { access } = this.#options;
    return customerIds.flatMap((customerId) => access.skipRejected(customerId, () => this.#nameIfKept(customerId)) ?? []);
  }

  /** @throws {SecureGateError} `customer_not_found`, `version_conflict`, `envelope_rejected`, `storage_failed` */
  changeProfile({ customerId, change, version }: Taken<'changeProfile'>): CustomerView {
    const { access, store, directory } = this.#options;
    using records = access.open(customerId);
    const row = this.#row(customerId, version);
    const profile = changedProfile(records.openProfile(row.profile), change);
    store.changeProfile(customerId, records.sealProfile(profile));
    directory.rename(customerId, profile.name);
    return this.#view(records, customerId);
  }

  /**
   * From now on the new consent counts alone. Faces that left the gallery with the old one come back.
   * @throws {SecureGateError} `customer_not_found`, `consent_missing`, `consent_expired`, `envelope_rejected`, `storage_failed`
   */
  recordConsent({ customerId, consent }: Taken<'recordConsent'>): void {
    const { access, store, faces, clock } = this.#options;
    requireConsent(consent, clock.now());
    using records = access.open(customerId);
    const earlier = records.newestConsent(store.consents(customerId));
    store.addConsent(customerId, records.sealConsent({ sequence: (earlier?.sequence ?? 0) + 1, consent }));
    faces.dismiss(customerId);
    faces.admitStored(records, customerId, consent);
  }

  /** @throws {SecureGateError} `customer_not_found`, `consent_missing` (there is none), `envelope_rejected`, `storage_failed` */
  withdrawConsent({ customerId }: Taken<'withdrawConsent'>): void {
    const { access, store, faces, clock } = this.#options;
    // Whatever follows fails: who says no is not recognised from this moment on.
    faces.dismiss(customerId);
    using records = access.open(customerId);
    const given = store.consents(customerId).map((row) => ({ id: row.id, record: records.openConsent(row) }));
    if (given.length === 0) throw new SecureGateError('consent_missing', 'This customer has given no consent');
    const holding = given.filter(({ record }) => record.withdrawnAt === undefined);
    const withdrawnAt = new Date(clock.now()).toISOString();
    if (holding.length > 0) {
      store.replaceConsents(
        customerId,
        holding.map(({ id, record }) => records.sealConsent({ ...record, withdrawnAt }, id)),
      );
    }
  }

  /**
   * Removes whatever there is of the customer, also of one whose records do not open.
   * @throws {SecureGateError} `customer_not_found`, `version_conflict`, `storage_failed`
   */
  async remove({ customerId, version }: Taken<'removeCustomer'>): Promise<void> {
    this.#row(customerId, version);
    await this.#erase([customerId]);
  }

  /**
   * As `remove`, of several customers at once, which changes the key of each shard only once. Who was erased before stays so.
   * @throws {SecureGateError} `customer_not_found` (nobody is erased then), `storage_failed`
   */
  async erase(customerIds: readonly string[]): Promise<void> {
    const { keyring, store } = this.#options;
    const present = [...new Set(customerIds)].filter((customerId) => store.customer(customerId) || !keyring.erasures.find(customerId));
    for (const customerId of present) this.#row(customerId);
    if (present.length > 0) await this.#erase(present);
  }

  async #erase(customerIds: readonly string[]): Promise<void> {
    const { keyring, store, faces, directory, clock } = this.#options;
    for (const customerId of customerIds) faces.dismiss(customerId);
    // The keys before the rows: if the box dies in between, nothing of the customers opens any more, and the next start removes them.
    await keyring.erase(customerIds, clock.now());
    for (const customerId of customerIds) directory.remove(customerId);
    store.removeCustomers(customerIds);
  }

  #nameIfKept(customerId: string): Gives<'customerNames'>[number] | undefined {
    const { access, store } = this.#options;
    const row = store.customer(customerId);
    using records = access.find(customerId);
    return records && row && { customerId, name: records.openProfile(row.profile).name };
  }

  #viewIfKept(customerId: string): CustomerView | undefined {
    using records = this.#options.access.find(customerId);
    return records && this.#view(records, customerId);
  }

  #view(records: CustomerRecords, customerId: string): CustomerView {
    const { store, clock } = this.#options;
    const row = this.#row(customerId);
    const newest = records.newestConsent(store.consents(customerId));
    if (!newest) throw new SecureGateError('envelope_rejected', 'A sealed record is missing', { details: { customerId } });
    const { name, contact = null } = records.openProfile(row.profile);
    const consentState = consentStateOf(newest, clock.now());
    return { customerId, name, contact, consent: newest.consent, consentState, faces: store.faceCount(customerId), version: row.version };
  }

  #row(customerId: string, version?: number): { profile: Buffer; version: number } {
    const row = this.#options.store.customer(customerId);
    if (!row) throw new SecureGateError('customer_not_found', 'No such customer', { details: { customerId } });
    requireVersion(row.version, version);
    return row;
  }
}
