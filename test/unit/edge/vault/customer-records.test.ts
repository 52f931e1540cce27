import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { CustomerRecords } from '../../../../edge/vault/customer-records.ts';
import { newId } from '../../../../shared/ids/ids.ts';
import { consentFor, embeddingOf, MODEL, sightingOf } from '../../../helpers/vault-guests.ts';

const scope = { org: 'acme', tenant: 'hall', box: newId('box') };
const bytes = randomBytes(32);
/** With the same key each time, so that nothing but the context tells the records apart. */
const recordsOf = (customerId: string, owner = scope): CustomerRecords =>
  new CustomerRecords(owner, customerId, { id: 'cek_a', version: 1, holds: 'data', bytes: Buffer.from(bytes) });
const rejected = expect.objectContaining({ code: 'envelope_rejected' });

test('gives back what was sealed', () => {
  const records = recordsOf('cus_1');
  const embedding = embeddingOf(1);
  expect(records.openProfile(records.sealProfile({ name: 'Zoë', contact: 'z@example.org' }))).toEqual({
    name: 'Zoë',
    contact: 'z@example.org',
  });
  const row = records.sealFace({ embedding, quality: 0.5, enrolledAt: 1_700_000_000_123 }, MODEL);
  expect(records.openFace(row)).toEqual({ embedding, quality: 0.5, enrolledAt: 1_700_000_000_123 });
  const sighting = sightingOf('cus_1');
  expect(records.openSighting(records.sealSighting(sighting))).toEqual(sighting);
});

test.each([
  ['customer', 'cus_2', scope],
  ['tenant', 'cus_1', { ...scope, tenant: 'club' }],
  ['org', 'cus_1', { ...scope, org: 'other' }],
])('the records of another %s do not open, even under the same key', (_, customerId, owner) => {
  const mine = recordsOf('cus_1');
  const other = recordsOf(customerId, owner);
  expect(() => other.openFace(mine.sealFace({ embedding: embeddingOf(1), quality: 1, enrolledAt: 0 }, MODEL))).toThrow(rejected);
  expect(() => other.newestConsent([mine.sealConsent(consentFor(), undefined)])).toThrow(rejected);
  expect(() => other.openSighting(mine.sealSighting(sightingOf('cus_1')))).toThrow(rejected);
});

test('wipes the customer’s key when it is done', () => {
  const key = { id: 'cek_a', version: 1, holds: 'data', bytes: Buffer.from(bytes) } as const;
  {
    using records = new CustomerRecords(scope, 'cus_1', key);
    records.sealProfile({ name: 'A' });
  }
  expect(key.bytes.every((byte) => byte === 0)).toBe(true);
});
