import type { CustomerAccess } from './customers/customer-access.ts';
import type { CustomerRecords } from './customers/customer-records.ts';
import { OpenedCustomers } from './customers/opened-customers.ts';
import { openSighting } from './sightings/open-sighting.ts';
import { asVaultError } from './store/as-vault-error.ts';
import type { CustomerStore } from './store/customer-store.ts';
import type { SealedRows } from './store/sealed-rows.ts';

export interface Examination {
  /** Customers whose key is there. */
  readonly customers: number;
  /** Customers without a key who are not known as erased: the keyring is not the one that these data belong to. */
  readonly keyless: number;
  /** Records that open, of all kinds. */
  readonly opened: number;
  /** Records, and keys, that are there and do not open or are not what they ought to be. */
  readonly damaged: number;
}

/** Opens everything in a vault once and counts. Nothing else is done with what was opened. */
export function examine(access: CustomerAccess, store: CustomerStore, rows: SealedRows): Examination {
  const found = { customers: 0, keyless: 0, opened: 0, damaged: 0 };
  const tally = (open: () => unknown): void => {
    try {
      open();
      found.opened += 1;
    } catch (error) {
      const { code } = asVaultError(error);
      // `internal`: it opens, and is not what it ought to be.
      if (code !== 'envelope_rejected' && code !== 'internal') throw error;
      found.damaged += 1;
    }
  };
  for (const { id } of store.customers()) {
    tally(() => {
      using records = access.find(id);
      found[records ? 'customers' : 'keyless'] += 1;
      if (records) openAll(id, records, store, rows, tally);
    });
  }
  using nobody = new OpenedCustomers(access);
  for (const row of rows.sightings(null)) tally(() => openSighting(row, nobody));
  for (const { content } of rows.records(null)) tally(() => JSON.parse(content.toString('utf8')));
  return found;
}

function openAll(
  customerId: string,
  records: CustomerRecords,
  store: CustomerStore,
  rows: SealedRows,
  tally: (open: () => unknown) => void,
): void {
  const profile = store.customer(customerId)?.profile ?? Buffer.alloc(0);
  tally(() => records.openProfile(profile));
  for (const consent of store.consents(customerId)) tally(() => records.openConsent(consent));
  for (const face of store.faces(customerId)) {
    tally(() => records.openFace(face).embedding.fill(0));
    const picture = store.picture(customerId, face.id);
    if (picture) tally(() => records.openPicture(face.id, picture).fill(0));
  }
  for (const { id, content } of rows.sightings(customerId)) tally(() => records.openSighting(id, content));
  for (const { id, kind, content } of rows.records(customerId)) tally(() => records.openRecord(kind, id, content).fill(0));
}
