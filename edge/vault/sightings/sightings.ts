import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Sighting } from '../../../shared/messages/events.ts';
import { cursorAt, positionOf } from '../cursor.ts';
import type { CustomerAccess } from '../customers/customer-access.ts';
import { OpenedCustomers } from '../customers/opened-customers.ts';
import type { Taken } from '../protocol.ts';
import type { VaultScope } from '../scope.ts';
import type { SightingStore, Span } from '../store/sighting-store.ts';
import { dayOf, LAST_DAY } from './day-of.ts';
import { openSighting } from './open-sighting.ts';
import type { Retention } from './retention.ts';

/** Sightings that one page looks at, at most: the vault answers one request at a time, and faces wait behind this one. */
const LOOKED_AT = 1000;

/**
 * Who was seen in this tenant's venue. The sighting of a customer, with its time and place, is sealed under his key;
 * that of somebody unknown names nobody and holds nothing of his face, and is kept under the file's encryption alone.
 */
export class Sightings {
  readonly #scope: VaultScope;
  readonly #access: CustomerAccess;
  readonly #store: SightingStore;
  readonly #retention: Retention;

  constructor(scope: VaultScope, access: CustomerAccess, store: SightingStore, retention: Retention) {
    this.#scope = scope;
    this.#access = access;
    this.#store = store;
    this.#retention = retention;
  }

  /** @throws {SecureGateError} `invalid_request` (another tenant's, or it contradicts itself), `customer_not_found`, `envelope_rejected`, `storage_failed` */
  record(sighting: Sighting): void {
    const { id, tenant, outcome, customerId } = sighting;
    const day = dayOf(sighting.endedAt);
    if (tenant !== this.#scope.tenant) throw new SecureGateError('invalid_request', 'This sighting belongs to another tenant');
    if ((outcome === 'person') !== (customerId !== null))
      throw new SecureGateError('invalid_request', 'A sighting names a customer if its outcome is a person, and only then');
    if (customerId === null) {
      this.#store.put({ id, customer_id: null, content: Buffer.from(JSON.stringify(sighting), 'utf8') }, day);
      return;
    }
    using records = this.#access.open(customerId);
    this.#store.put({ id, customer_id: customerId, content: records.sealSighting(sighting) }, day);
  }

  /** Those that are kept, the last recorded first. Sightings that do not open are left out; the log names them. */
  list(query: Taken<'listSightings'>): { items: Sighting[]; next: string | null } {
    const span = this.#spanOf(query);
    if (!span) return { items: [], next: null };
    using customers = new OpenedCustomers(this.#access);
    const { firstKept } = this.#retention;
    const items: Sighting[] = [];
    let looked = 0;
    let last = 0;
    // One more than may be looked at tells whether anything follows.
    for (const row of this.#store.in(span, LOOKED_AT + 1, ownerIn(query))) {
      if (items.length === query.limit || looked === LOOKED_AT) return { items, next: cursorAt(last) };
      last = row.position;
      looked += 1;
      if (query.outcome === 'person' && row.customer_id === null) continue;
      const sighting = this.#access.skipRejected(row.id, () => openSighting(row, customers));
      if (sighting && dayOf(sighting.endedAt) >= firstKept && isWanted(sighting, query)) items.push(sighting);
    }
    return { items, next: null };
  }

  /** Where sightings of the wanted time can lie, from the cursor on. */
  #spanOf({ cursor, from, to }: Taken<'listSightings'>): Span | undefined {
    const last = positionOf(cursor) - 1;
    const { firstKept } = this.#retention;
    const fromDay = from === undefined || dayOf(from) < firstKept ? firstKept : dayOf(from);
    const span = this.#store.span(fromDay, to === undefined ? LAST_DAY : dayOf(to));
    return span && { first: span.first, last: Math.min(span.last, last) };
  }
}

/** Whose rows have to be looked at: undefined for everybody's, null for those of people who are no customers. */
function ownerIn({ customerId, outcome }: Taken<'listSightings'>): string | null | undefined {
  if (customerId !== undefined) return customerId;
  return outcome === 'unknown' || outcome === 'undecided' ? null : undefined;
}

function isWanted(sighting: Sighting, { camera, outcome, customerId, from, to }: Taken<'listSightings'>): boolean {
  const endedAt = Date.parse(sighting.endedAt);
  return (
    (camera === undefined || sighting.camera === camera) &&
    (outcome === undefined || sighting.outcome === outcome) &&
    (customerId === undefined || sighting.customerId === customerId) &&
    (from === undefined || endedAt >= Date.parse(from)) &&
    (to === undefined || endedAt < Date.parse(to))
  );
}
