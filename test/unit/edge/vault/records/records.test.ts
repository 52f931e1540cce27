import { beforeEach, expect, test } from 'vitest';
import type { Vault } from '../../../../../edge/vault/vault.ts';
import { newId } from '../../../../../shared/ids/ids.ts';
import { type TestBox, testBox, testVault } from '../../../../helpers/vault.ts';
import { guest } from '../../../../helpers/vault-guests.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
let box: TestBox;
let vault: Vault;
beforeEach(async () => {
  box = await testBox();
  vault = testVault(box);
  await vault.start();
});

test('are kept, changed and removed, with or without a customer, also over a restart', async () => {
  const { customerId } = vault.customers.enrol(guest(1));
  for (const about of [undefined, customerId]) {
    const { id, version } = vault.records.add({ kind: 'rooms', json: '{"title":"Säal"}', customerId: about });
    expect(vault.records.get({ kind: 'rooms', id })).toEqual({ id, version, customerId: about ?? null, json: '{"title":"Säal"}' });
    expect(vault.records.change({ kind: 'rooms', id, json: '{"title":"Bar"}', version, customerId: about })).toEqual({ id, version: 2 });
    vault.stop();
    vault = testVault(box);
    await vault.start();
    expect(vault.records.get({ kind: 'rooms', id })).toEqual({ id, version: 2, customerId: about ?? null, json: '{"title":"Bar"}' });
    vault.records.remove({ kind: 'rooms', id, version: 2 });
    expect(() => vault.records.get({ kind: 'rooms', id })).toThrow(refused('record_not_found'));
  }
});

test('have the id that is chosen for them, once', () => {
  const id = newId('record');
  expect(vault.records.add({ kind: 'rooms', id, json: '1' })).toEqual({ id, version: 1 });
  expect(() => vault.records.add({ kind: 'rooms', id, json: '2' })).toThrow(refused('conflict'));
});

test('are changed only on the version that the caller has seen', () => {
  const { id } = vault.records.add({ kind: 'rooms', json: '1' });
  vault.records.change({ kind: 'rooms', id, json: '2', version: 1 });
  expect(() => vault.records.change({ kind: 'rooms', id, json: '3', version: 1 })).toThrow(refused('version_conflict'));
  expect(() => vault.records.remove({ kind: 'rooms', id, version: 1 })).toThrow(refused('version_conflict'));
  expect(vault.records.get({ kind: 'rooms', id }).json).toBe('2');
  vault.records.change({ kind: 'rooms', id, json: '4' });
  expect(vault.records.get({ kind: 'rooms', id })).toMatchObject({ json: '4', version: 3 });
});

test('stay with whom they were made for', () => {
  const [one, two] = [1, 2].map((seed) => vault.customers.enrol(guest(seed)).customerId);
  const { id } = vault.records.add({ kind: 'attendees', json: '{}', customerId: one });
  for (const customerId of [two, undefined]) {
    expect(() => vault.records.change({ kind: 'attendees', id, json: '{}', customerId })).toThrow(refused('conflict'));
  }
  const plain = vault.records.add({ kind: 'attendees', json: '{}' });
  expect(() => vault.records.change({ kind: 'attendees', id: plain.id, json: '{}', customerId: one })).toThrow(refused('conflict'));
});

test('of one kind are not those of another, and unknown ones are named so', () => {
  const { id } = vault.records.add({ kind: 'rooms', json: '{}' });
  for (const ref of [
    { kind: 'events', id },
    { kind: 'rooms', id: newId('record') },
  ]) {
    expect(() => vault.records.get(ref)).toThrow(refused('record_not_found'));
    expect(() => vault.records.change({ ...ref, json: '{}' })).toThrow(refused('record_not_found'));
    expect(() => vault.records.remove(ref)).toThrow(refused('record_not_found'));
  }
  expect(vault.records.list({ kind: 'events', limit: 10 })).toEqual({ items: [], next: null });
  expect(() => vault.records.add({ kind: 'rooms', json: '{}', customerId: newId('customer') })).toThrow(refused('customer_not_found'));
});

test('come page by page, the newest first, each once, although some come and go meanwhile', () => {
  const add = (json: string): string => vault.records.add({ kind: 'rooms', json }).id;
  const ids = ['1', '2', '3', '4', '5'].map(add).reverse();
  const first = vault.records.list({ kind: 'rooms', limit: 2 });
  add('6');
  vault.records.remove({ kind: 'rooms', id: ids[1] ?? '' });
  vault.records.change({ kind: 'rooms', id: ids[3] ?? '', json: '20' });
  const second = vault.records.list({ kind: 'rooms', limit: 2, cursor: first.next ?? '' });
  const third = vault.records.list({ kind: 'rooms', limit: 2, cursor: second.next ?? '' });
  expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  expect(second.items.map(({ json }) => json)).toEqual(['3', '20']);
  expect([third.items.map(({ json }) => json), third.next]).toEqual([['1'], null]);
});
