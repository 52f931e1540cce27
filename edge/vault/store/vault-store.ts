import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';

export interface ConsentRow {
  readonly id: string;
  readonly envelope: Buffer;
}

export interface FaceRow {
  readonly id: string;
  readonly model: string;
  readonly envelope: Buffer;
}

export interface SightingRow {
  readonly id: string;
  readonly envelope: Buffer;
}

export interface NewCustomer {
  readonly id: string;
  readonly profile: Buffer;
  readonly consent: ConsentRow;
  readonly faces: readonly FaceRow[];
}

/**
 * Rows of one tenant's vault.db. It moves envelopes and holds no key to any of them.
 * What a method wrote is on the disk when it returns.
 */
export class VaultStore {
  readonly #database: Database.Database;
  readonly #insertCustomer: Statement<[string, Buffer], unknown>;
  readonly #insertConsent: Statement<[string, string, Buffer], unknown>;
  readonly #insertFace: Statement<[string, string, string, Buffer], unknown>;
  readonly #insertSighting: Statement<[string, string, Buffer], unknown>;
  readonly #customers: Statement<[], { id: string }>;
  readonly #profile: Statement<[string], { profile: Buffer }>;
  readonly #consents: Statement<[string], ConsentRow>;
  readonly #faces: Statement<[string], FaceRow>;
  readonly #sightings: Statement<[string], SightingRow>;
  readonly #addCustomer: (customer: NewCustomer) => void;

  /** @param database vault.db with the schema of vault-schema.ts; this object closes it */
  constructor(database: Database.Database) {
    this.#database = database;
    this.#insertCustomer = database.prepare('INSERT INTO customers (id, profile) VALUES (?, ?)');
    this.#insertConsent = database.prepare('INSERT INTO consents (id, customer_id, envelope) VALUES (?, ?, ?)');
    this.#insertFace = database.prepare('INSERT INTO faces (id, customer_id, model, envelope) VALUES (?, ?, ?, ?)');
    this.#insertSighting = database.prepare(
      'INSERT INTO sightings (id, customer_id, envelope) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET customer_id = excluded.customer_id, envelope = excluded.envelope',
    );
    this.#customers = database.prepare('SELECT id FROM customers');
    this.#profile = database.prepare('SELECT profile FROM customers WHERE id = ?');
    this.#consents = database.prepare('SELECT id, envelope FROM consents WHERE customer_id = ?');
    this.#faces = database.prepare('SELECT id, model, envelope FROM faces WHERE customer_id = ?');
    this.#sightings = database.prepare('SELECT id, envelope FROM sightings WHERE customer_id = ?');
    this.#addCustomer = database.transaction((customer: NewCustomer) => {
      this.#insertCustomer.run(customer.id, customer.profile);
      this.addConsent(customer.id, customer.consent);
      for (const face of customer.faces) this.addFace(customer.id, face);
    });
  }

  /** All of the customer's rows or none. */
  addCustomer(customer: NewCustomer): void {
    this.#addCustomer(customer);
  }

  addConsent(customerId: string, consent: ConsentRow): void {
    this.#insertConsent.run(consent.id, customerId, consent.envelope);
  }

  addFace(customerId: string, face: FaceRow): void {
    this.#insertFace.run(face.id, customerId, face.model, face.envelope);
  }

  /** Reported again under the same id, the later report counts. */
  addSighting(customerId: string, sighting: SightingRow): void {
    this.#insertSighting.run(sighting.id, customerId, sighting.envelope);
  }

  customerIds(): string[] {
    return this.#customers.all().map(({ id }) => id);
  }

  profile(customerId: string): Buffer | undefined {
    return this.#profile.get(customerId)?.profile;
  }

  consents(customerId: string): ConsentRow[] {
    return this.#consents.all(customerId);
  }

  faces(customerId: string): FaceRow[] {
    return this.#faces.all(customerId);
  }

  sightings(customerId: string): SightingRow[] {
    return this.#sightings.all(customerId);
  }

  close(): void {
    this.#database.close();
  }
}
