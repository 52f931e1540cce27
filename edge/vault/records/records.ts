import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { newId } from '../../../shared/ids/ids.ts';
import { cursorAt, positionOf } from '../cursor.ts';
import type { CustomerAccess } from '../customers/customer-access.ts';
import type { CustomerRecords } from '../customers/customer-records.ts';
import { OpenedCustomers } from '../customers/opened-customers.ts';
import type { Gives, Taken } from '../protocol.ts';
import { requireVersion } from '../require-version.ts';
import type { RecordRow, RecordStore } from '../store/record-store.ts';

type RecordView = Gives<'getRecord'>;

/**
 * The venue's own records, of whatever kind. One about a customer is sealed under his key and goes with him; the others
 * are kept under the file's encryption alone.
 */
export class Records {
  readonly #access: CustomerAccess;
  readonly #store: RecordStore;

  constructor(access: CustomerAccess, store: RecordStore) {
    this.#access = access;
    this.#store = store;
  }

  /** @throws {SecureGateError} `conflict`, `customer_not_found`, `envelope_rejected`, `storage_failed` */
  add({ kind, id = newId('record'), json, customerId }: Taken<'addRecord'>): { id: string; version: number } {
    if (this.#store.find(kind, id)) throw new SecureGateError('conflict', 'There is a record of this id', { details: { kind, id } });
    this.#store.add({ id, kind, version: 1, customer_id: customerId ?? null, content: this.#seal(kind, id, json, customerId) });
    return { id, version: 1 };
  }

  /** @throws {SecureGateError} `record_not_found`, `envelope_rejected` */
  get({ kind, id }: Taken<'getRecord'>): RecordView {
    const row = this.#find(kind, id);
    using customers = new OpenedCustomers(this.#access);
    return open(row, customers) ?? notFound(kind, id);
  }

  /** The newest first. Records that do not open are left out; the log names them. */
  list({ kind, cursor, limit }: Taken<'listRecords'>): { items: RecordView[]; next: string | null } {
    using customers = new OpenedCustomers(this.#access);
    const items: RecordView[] = [];
    let last = 0;
    for (const row of this.#store.before(kind, positionOf(cursor))) {
      if (items.length === limit) return { items, next: cursorAt(last) };
      last = row.position;
      const record = this.#access.skipRejected(row.id, () => open(row, customers));
      if (record) items.push(record);
    }
    return { items, next: null };
  }

  /** @throws {SecureGateError} `record_not_found`, `version_conflict`, `conflict`, `envelope_rejected`, `storage_failed` */
  change({ kind, id, json, version, customerId }: Taken<'changeRecord'>): { id: string; version: number } {
    const row = this.#find(kind, id);
    requireVersion(row.version, version);
    // Sealed under the key of one customer, data about another would outlive him.
    if (row.customer_id !== (customerId ?? null)) throw new SecureGateError('conflict', 'A record stays with whom it was made for');
    const next = row.version + 1;
    this.#store.change(id, next, this.#seal(kind, id, json, customerId));
    return { id, version: next };
  }

  /** @throws {SecureGateError} `record_not_found`, `version_conflict`, `storage_failed` */
  remove({ kind, id, version }: Taken<'removeRecord'>): void {
    requireVersion(this.#find(kind, id).version, version);
    this.#store.remove(id);
  }

  #find(kind: string, id: string): RecordRow {
    return this.#store.find(kind, id) ?? notFound(kind, id);
  }

  #seal(kind: string, id: string, json: string, customerId: string | undefined): Buffer {
    const plaintext = Buffer.from(json, 'utf8');
    if (customerId === undefined) return plaintext;
    try {
      using records: CustomerRecords = this.#access.open(customerId);
      return records.sealRecord(kind, id, plaintext);
    } finally {
      plaintext.fill(0);
    }
  }
}

function open({ id, kind, version, customer_id, content }: RecordRow, customers: OpenedCustomers): RecordView | undefined {
  if (customer_id === null) return { id, version, customerId: null, json: content.toString('utf8') };
  const plaintext = customers.find(customer_id)?.openRecord(kind, id, content);
  if (!plaintext) return undefined;
  const json = plaintext.toString('utf8');
  plaintext.fill(0);
  return { id, version, customerId: customer_id, json };
}

function notFound(kind: string, id: string): never {
  throw new SecureGateError('record_not_found', 'No such record', { details: { kind, id } });
}
