import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CustomerStore } from '../../../../../edge/vault/store/customer-store.ts';
import { openEncryptedDatabase } from '../../../../../edge/vault/store/open-encrypted-database.ts';
import { SightingStore } from '../../../../../edge/vault/store/sighting-store.ts';
import { VAULT_SCHEMA } from '../../../../../edge/vault/store/vault-schema.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

test('a vault of the first version keeps every row on its way to the newest', async () => {
  const path = join(await tempFolder(), 'vault.db');
  const key = randomBytes(32);
  const first = openEncryptedDatabase(path, { key, schema: VAULT_SCHEMA.slice(0, 1), mode: 'create' });
  for (const id of ['zed', 'abe']) {
    first.prepare<[string, Buffer]>('INSERT INTO customers (id, profile) VALUES (?, ?)').run(id, Buffer.from(`profile ${id}`));
    first.prepare<[string, string, Buffer]>('INSERT INTO consents VALUES (?, ?, ?)').run(`consent ${id}`, id, Buffer.from('consent'));
    first
      .prepare<[string, string, string, Buffer]>('INSERT INTO faces VALUES (?, ?, ?, ?)')
      .run(`face ${id}`, id, 'm', Buffer.from('face'));
    first.prepare<[string, string, Buffer]>('INSERT INTO sightings VALUES (?, ?, ?)').run(`seen ${id}`, id, Buffer.from(`seen ${id}`));
  }
  first.close();

  const database = openEncryptedDatabase(path, { key, schema: VAULT_SCHEMA, mode: 'open' });
  const customers = new CustomerStore(database);
  expect(customers.customers()).toEqual([
    { id: 'zed', position: 1 },
    { id: 'abe', position: 2 },
  ]);
  expect(customers.customer('abe')).toEqual({ profile: Buffer.from('profile abe'), version: 1 });
  expect(customers.consents('zed')).toEqual([{ id: 'consent zed', envelope: Buffer.from('consent') }]);
  expect(customers.faces('zed')).toEqual([{ id: 'face zed', model: 'm', envelope: Buffer.from('face'), has_picture: 0 }]);
  const sightings = new SightingStore(database);
  const span = sightings.span('2026-01-01', '2026-01-02');
  expect(span && [...sightings.in(span, 10)]).toEqual([
    { position: 2, id: 'seen abe', customer_id: 'abe', content: Buffer.from('seen abe') },
    { position: 1, id: 'seen zed', customer_id: 'zed', content: Buffer.from('seen zed') },
  ]);
  // Rows still belong to customers: one of nobody is refused.
  expect(() => customers.addConsent('nobody', { id: 'c', envelope: Buffer.from('x') })).toThrow(/FOREIGN KEY/);
  customers.removeCustomers(['zed']);
  expect(customers.customers()).toEqual([{ id: 'abe', position: 2 }]);
  database.close();
});
