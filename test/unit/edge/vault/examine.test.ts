import { beforeEach, expect, test } from 'vitest';
import { asInsider } from '../../../helpers/as-insider.ts';
import { type TestBox, testBox, testVault } from '../../../helpers/vault.ts';
import { guest, pictureOf, sightingOf } from '../../../helpers/vault-guests.ts';

let box: TestBox;
let customerId: string;

beforeEach(async () => {
  box = await testBox();
  const vault = testVault(box);
  await vault.start();
  const { faces, ...person } = guest(1);
  ({ customerId } = vault.customers.enrol({ ...person, faces: faces.map((face) => ({ ...face, picture: pictureOf(1) })) }));
  vault.customers.enrol(guest(2));
  vault.sightings.record(sightingOf(customerId));
  vault.sightings.record(sightingOf(null, 'hall', 'unknown'));
  vault.records.add({ kind: 'attendees', json: '{"seat":7}', customerId });
  vault.records.add({ kind: 'rooms', json: '{"title":"Hall"}' });
  vault.stop();
});

async function examined(): Promise<unknown> {
  const vault = testVault(box);
  await vault.start();
  try {
    return vault.examine();
  } finally {
    vault.stop();
  }
}

/** Keys, profiles, consents, faces and pictures, sightings, records. */
const ALL = 2 + 2 + 2 + 3 + 2 + 2;

test('counts every record that there is', async () => {
  expect(await examined()).toEqual({ customers: 2, keyless: 0, erased: 0, opened: ALL, damaged: 0 });
});

test.each([
  ['profile', 'UPDATE customers SET profile = zeroblob(100) WHERE id = ?'],
  ['consent', 'UPDATE consents SET envelope = zeroblob(100) WHERE customer_id = ?'],
  ['face', 'UPDATE faces SET envelope = zeroblob(100) WHERE customer_id = ?'],
  ['picture', 'UPDATE faces SET picture = zeroblob(100) WHERE customer_id = ?'],
  ['sighting', 'UPDATE sightings SET content = zeroblob(100) WHERE customer_id = ?'],
  ['record', 'UPDATE records SET content = zeroblob(100) WHERE customer_id = ?'],
])('tells of a %s that does not open', async (_, change) => {
  await asInsider(box, 'file-vault', (database) => database.prepare<[string]>(change).run(customerId));
  expect(await examined()).toEqual({ customers: 2, keyless: 0, erased: 0, opened: ALL - 1, damaged: 1 });
});

test('tells of a sighting and a record of nobody that are not what they claim to be', async () => {
  await asInsider(box, 'file-vault', (database) => {
    database.prepare("UPDATE sightings SET content = x'7b7d' WHERE customer_id IS NULL").run();
    database.prepare("UPDATE records SET content = x'7b' WHERE customer_id IS NULL").run();
  });
  expect(await examined()).toEqual({ customers: 2, keyless: 0, erased: 0, opened: ALL - 2, damaged: 2 });
});

test('tells of a key that does not open, and of one that is not there', async () => {
  await asInsider(box, 'file-keys', (database) =>
    database.prepare<[string]>('UPDATE customer_keys SET envelope = zeroblob(100) WHERE customer_id = ?').run(customerId),
  );
  expect(await examined()).toMatchObject({ customers: 1, keyless: 0, damaged: 1 });
  await asInsider(box, 'file-keys', (database) =>
    database.prepare<[string]>('DELETE FROM customer_keys WHERE customer_id = ?').run(customerId),
  );
  expect(await examined()).toMatchObject({ customers: 1, keyless: 1, damaged: 0 });
});

test('tells of those who were erased and were still there at the start', async () => {
  await asInsider(box, 'file-keys', (database) => {
    database.prepare<[string]>('DELETE FROM customer_keys WHERE customer_id = ?').run(customerId);
    database.prepare<[string]>('INSERT INTO erased_customers (customer_id, erased_at, epoch) VALUES (?, 1, 1)').run(customerId);
  });
  expect(await examined()).toMatchObject({ customers: 1, keyless: 0, erased: 1, damaged: 0 });
});
