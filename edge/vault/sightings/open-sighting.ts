import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { type Sighting, sightingSchema } from '../../../shared/messages/events.ts';
import type { OpenedCustomers } from '../customers/opened-customers.ts';
import type { SightingRow } from '../store/sighting-store.ts';

/** @returns undefined for the sighting of a customer without a key @throws {SecureGateError} `envelope_rejected` */
export function openSighting({ id, customer_id, content }: SightingRow, customers: OpenedCustomers): Sighting | undefined {
  if (customer_id !== null) return customers.find(customer_id)?.openSighting(id, content);
  const sighting = sightingSchema.safeParse(jsonOf(content)).data;
  // A row without a customer may not name one: that would be a claim which nobody has sealed.
  if (sighting?.id === id && sighting.outcome !== 'person' && sighting.customerId === null) return sighting;
  throw new SecureGateError('envelope_rejected', 'A stored sighting is not what it claims to be');
}

function jsonOf(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'));
  } catch (cause) {
    throw new SecureGateError('envelope_rejected', 'A stored sighting cannot be read', { cause });
  }
}
