import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';
import { purgeLog } from './purge-log.ts';

export interface ConsentRow {
  readonly id: string;
  readonly envelope: Buffer;
}

export interface FaceRow {
  readonly id: string;
  readonly model: string;
  readonly envelope: Buffer;
}

export interface NewFaceRow extends FaceRow {
  /** Envelope of the picture. */
  readonly picture: Buffer | null;
}

export interface StoredFaceRow extends FaceRow {
  /** 0 or 1. */
  readonly has_picture: number;
}

export interface CustomerRow {
  readonly profile: Buffer;
  /** Grows with every change of the customer, his consents or his faces. */
  readonly version: number;
}

export interface NewCustomer {
  readonly id: string;
  readonly profile: Buffer;
  readonly consent: ConsentRow;
  readonly faces: readonly NewFaceRow[];
}

/**
 * Customers, consents and faces in one tenant's vault.db. It moves envelopes and holds no key to any of them.
 * What a method wrote is on the disk when it returns, and what it removed is in no page of the files any more.
 */
export class CustomerStore {
  readonly #database: Database.Database;
  readonly #customers: Statement<[], { id: string; position: number }>;
  readonly #customer: Statement<[string], CustomerRow>;
  readonly #consents: Statement<[string], ConsentRow>;
  readonly #faces: Statement<[string], StoredFaceRow>;
  readonly #faceCount: Statement<[string], { faces: number }>;
  readonly #picture: Statement<[string, string], { picture: Buffer | null }>;
  readonly #addCustomer: (customer: NewCustomer) => number;
  readonly #addConsent: (customerId: string, consent: ConsentRow) => void;
  readonly #replaceConsents: (customerId: string, consents: readonly ConsentRow[]) => void;
  readonly #addFace: (customerId: string, face: NewFaceRow) => void;
  readonly #changeProfile: Statement<[Buffer, string], unknown>;
  readonly #removeFace: (customerId: string, faceId: string) => boolean;
  readonly #removeCustomers: (customerIds: readonly string[]) => void;

  /** @param database vault.db with the schema of vault-schema.ts */
  constructor(database: Database.Database) {
    this.#database = database;
    this.#customers = database.prepare('SELECT id, position FROM customers ORDER BY position');
    this.#customer = database.prepare('SELECT profile, version FROM customers WHERE id = ?');
    this.#consents = database.prepare('SELECT id, envelope FROM consents WHERE customer_id = ?');
    this.#faces = database.prepare('SELECT id, model, envelope, picture IS NOT NULL AS has_picture FROM faces WHERE customer_id = ?');
    this.#faceCount = database.prepare('SELECT count(*) AS faces FROM faces WHERE customer_id = ?');
    this.#picture = database.prepare('SELECT picture FROM faces WHERE customer_id = ? AND id = ?');
    this.#changeProfile = database.prepare('UPDATE customers SET profile = ?, version = version + 1 WHERE id = ?');

    const touch = database.prepare<[string]>('UPDATE customers SET version = version + 1 WHERE id = ?');
    const insertCustomer = database.prepare<[string, Buffer], { position: number }>(
      'INSERT INTO customers (id, profile, position) SELECT ?, ?, coalesce(max(position), 0) + 1 FROM customers RETURNING position',
    );
    const insertConsent = database.prepare<[string, string, Buffer]>('INSERT INTO consents (id, customer_id, envelope) VALUES (?, ?, ?)');
    const updateConsent = database.prepare<[Buffer, string, string]>('UPDATE consents SET envelope = ? WHERE customer_id = ? AND id = ?');
    const insertFace = database.prepare<[string, string, string, Buffer, Buffer | null]>(
      'INSERT INTO faces (id, customer_id, model, envelope, picture) VALUES (?, ?, ?, ?, ?)',
    );
    const deleteFace = database.prepare<[string, string]>('DELETE FROM faces WHERE customer_id = ? AND id = ?');
    // The customer himself goes last, since the others refer to him.
    const deletions = [
      database.prepare<[string]>('DELETE FROM records WHERE customer_id = ?'),
      database.prepare<[string]>('DELETE FROM sightings WHERE customer_id = ?'),
      database.prepare<[string]>('DELETE FROM faces WHERE customer_id = ?'),
      database.prepare<[string]>('DELETE FROM consents WHERE customer_id = ?'),
      database.prepare<[string]>('DELETE FROM customers WHERE id = ?'),
    ];

    this.#addCustomer = database.transaction((customer: NewCustomer): number => {
      const position = insertCustomer.get(customer.id, customer.profile)?.position ?? 0;
      insertConsent.run(customer.consent.id, customer.id, customer.consent.envelope);
      for (const face of customer.faces) insertFace.run(face.id, customer.id, face.model, face.envelope, face.picture);
      return position;
    });
    this.#addConsent = database.transaction((customerId: string, consent: ConsentRow) => {
      insertConsent.run(consent.id, customerId, consent.envelope);
      touch.run(customerId);
    });
    this.#replaceConsents = database.transaction((customerId: string, consents: readonly ConsentRow[]) => {
      for (const { id, envelope } of consents) updateConsent.run(envelope, customerId, id);
      touch.run(customerId);
    });
    this.#addFace = database.transaction((customerId: string, face: NewFaceRow) => {
      insertFace.run(face.id, customerId, face.model, face.envelope, face.picture);
      touch.run(customerId);
    });
    this.#removeFace = database.transaction((customerId: string, faceId: string): boolean => {
      const removed = deleteFace.run(customerId, faceId).changes > 0;
      if (removed) touch.run(customerId);
      return removed;
    });
    this.#removeCustomers = database.transaction((customerIds: readonly string[]) => {
      for (const customerId of customerIds) for (const deletion of deletions) deletion.run(customerId);
    });
  }

  /** All customers in the order in which they were added. */
  customers(): { id: string; position: number }[] {
    return this.#customers.all();
  }

  customer(customerId: string): CustomerRow | undefined {
    return this.#customer.get(customerId);
  }

  consents(customerId: string): ConsentRow[] {
    return this.#consents.all(customerId);
  }

  faces(customerId: string): StoredFaceRow[] {
    return this.#faces.all(customerId);
  }

  faceCount(customerId: string): number {
    return this.#faceCount.get(customerId)?.faces ?? 0;
  }

  /** @returns the picture's envelope, null for a face without one, undefined when the customer has no such face */
  picture(customerId: string, faceId: string): Buffer | null | undefined {
    return this.#picture.get(customerId, faceId)?.picture;
  }

  /** All of the customer's rows or none. @returns his position */
  addCustomer(customer: NewCustomer): number {
    return this.#addCustomer(customer);
  }

  addConsent(customerId: string, consent: ConsentRow): void {
    this.#addConsent(customerId, consent);
  }

  /** All of them or none. */
  replaceConsents(customerId: string, consents: readonly ConsentRow[]): void {
    this.#replaceConsents(customerId, consents);
    purgeLog(this.#database);
  }

  addFace(customerId: string, face: NewFaceRow): void {
    this.#addFace(customerId, face);
  }

  changeProfile(customerId: string, profile: Buffer): void {
    this.#changeProfile.run(profile, customerId);
    purgeLog(this.#database);
  }

  /** @returns false when the customer has no such face */
  removeFace(customerId: string, faceId: string): boolean {
    const removed = this.#removeFace(customerId, faceId);
    purgeLog(this.#database);
    return removed;
  }

  /** Every row of these customers, in every table. */
  removeCustomers(customerIds: readonly string[]): void {
    this.#removeCustomers(customerIds);
    purgeLog(this.#database);
  }
}
