import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';
import type { RecordRow } from './record-store.ts';
import type { SightingRow } from './sighting-store.ts';

/** Sightings and records in one tenant's vault.db by whom they are about: null for those about nobody. */
export class SealedRows {
  readonly #sightings: Statement<[string | null], SightingRow>;
  readonly #records: Statement<[string | null], RecordRow>;

  /** @param database vault.db with the schema of vault-schema.ts */
  constructor(database: Database.Database) {
    this.#sightings = database.prepare('SELECT id, customer_id, content FROM sightings WHERE customer_id IS ?');
    this.#records = database.prepare('SELECT id, kind, version, customer_id, content FROM records WHERE customer_id IS ?');
  }

  sightings(customerId: string | null): IterableIterator<SightingRow> {
    return this.#sightings.iterate(customerId);
  }

  records(customerId: string | null): IterableIterator<RecordRow> {
    return this.#records.iterate(customerId);
  }
}
