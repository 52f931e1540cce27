/**
 * Every purpose that an envelope can have, in one place. The number goes into the envelope's header, the name into
 * the key derivation. Both are for ever: a purpose is never renamed, renumbered or used for a second thing.
 *
 * `holds` keeps the two worlds apart: a key that wraps keys never encrypts data, and the other way round.
 */
export const PURPOSES = {
  /** A key of the tenant's keyring header, under the tenant key (TEK) of one epoch. */
  'header-key': { code: 0x0001, holds: 'keys' },
  /** A customer's key (CEK), under the key of its shard. */
  'customer-key': { code: 0x0002, holds: 'keys' },
  /** A cell's key of the KMS without an HSM, under its master key, as the one that follows. */
  'cell-key': { code: 0x0003, holds: 'keys' },
  'signing-key': { code: 0x0004, holds: 'keys' },
  'transport-key': { code: 0x0008, holds: 'keys' },
  /** A tenant's leases and the tenant keys that came with them, as a box keeps them between two starts. */
  'held-leases': { code: 0x0007, holds: 'keys' },
  /** Name and contact of a customer, under the customer's key, as all that follow. */
  profile: { code: 0x0010, holds: 'data' },
  consent: { code: 0x0011, holds: 'data' },
  face: { code: 0x0012, holds: 'data' },
  sighting: { code: 0x0013, holds: 'data' },
  'face-picture': { code: 0x0014, holds: 'data' },
  /** A record of the venue that is about the customer. */
  record: { code: 0x0015, holds: 'data' },
  /** What waits to be told to the control plane, under the outbox key of the tenant. */
  'outbox-item': { code: 0x0016, holds: 'data' },
} as const satisfies Record<string, { code: number; holds: 'keys' | 'data' }>;

export type Purpose = keyof typeof PURPOSES;

/** Label of the key derivation (HKDF `info`) for a purpose. */
export function derivationLabel(purpose: Purpose): string {
  return `securegate/v1/${purpose}`;
}
