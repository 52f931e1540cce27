import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { CustomerRecords } from '../../../../../edge/vault/customers/customer-records.ts';
import { newId } from '../../../../../shared/ids/ids.ts';
import { consentFor, embeddingOf, MODEL, sightingOf } from '../../../../helpers/vault-guests.ts';

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
  expect(records.openSighting(sighting.id, records.sealSighting(sighting))).toEqual(sighting);
  const picture = Buffer.from('a picture');
  const pictured = records.sealFace({ embedding, quality: 0.5, enrolledAt: 0 }, MODEL, picture);
  expect(records.openPicture(pictured.id, pictured.picture ?? Buffer.alloc(0))).toEqual(picture);
  expect(records.openRecord('attendees', 'rec_1', records.sealRecord('attendees', 'rec_1', picture))).toEqual(picture);
});

test.each([
  ['customer', 'cus_2', scope],
  ['tenant', 'cus_1', { ...scope, tenant: 'club' }],
  ['org', 'cus_1', { ...scope, org: 'other' }],
])('the records of another %s do not open, even under the same key', (_, customerId, owner) => {
  const mine = recordsOf('cus_1');
  const other = recordsOf(customerId, owner);
  expect(() => other.openFace(mine.sealFace({ embedding: embeddingOf(1), quality: 1, enrolledAt: 0 }, MODEL))).toThrow(rejected);
  expect(() => other.newestConsent([mine.sealConsent({ sequence: 1, consent: consentFor() })])).toThrow(rejected);
  const sighting = sightingOf('cus_1');
  expect(() => other.openSighting(sighting.id, mine.sealSighting(sighting))).toThrow(rejected);
  expect(() => other.openRecord('rooms', 'rec_1', mine.sealRecord('rooms', 'rec_1', Buffer.from('{}')))).toThrow(rejected);
});

test('wipes the customer’s key when it is done', () => {
  const key = { id: 'cek_a', version: 1, holds: 'data', bytes: Buffer.from(bytes) } as const;
  {
    using records = new CustomerRecords(scope, 'cus_1', key);
    records.sealProfile({ name: 'A' });
  }
  expect(key.bytes.every((byte) => byte === 0)).toBe(true);
});

test('a record does not open as another one, nor as one of another kind', () => {
  const records = recordsOf('cus_1');
  const envelope = records.sealRecord('attendees', 'rec_1', Buffer.from('{}'));
  expect(() => records.openRecord('attendees', 'rec_2', envelope)).toThrow(rejected);
  expect(() => records.openRecord('watchlists', 'rec_1', envelope)).toThrow(rejected);
});

test('the picture of one face is not that of another, and no face', () => {
  const records = recordsOf('cus_1');
  const face = { embedding: embeddingOf(1), quality: 1, enrolledAt: 0 };
  const [one, two] = [records.sealFace(face, MODEL, Buffer.from('1')), records.sealFace(face, MODEL, Buffer.from('2'))];
  expect(() => records.openPicture(one.id, two.picture ?? Buffer.alloc(0))).toThrow(rejected);
  expect(() => records.openPicture(one.id, one.envelope)).toThrow(rejected);
});
