import { randomBytes } from 'node:crypto';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { Outbox } from '../../../../../edge/vault/outbox/outbox.ts';
import { VAULT_SCHEMA } from '../../../../../edge/vault/store/vault-schema.ts';
import type { Vault } from '../../../../../edge/vault/vault.ts';
import { newId } from '../../../../../shared/ids/ids.ts';
import type { Sighting } from '../../../../../shared/messages/events.ts';
import { testLogger } from '../../../../helpers/secrecy/test-logger.ts';
import { type TestBox, testBox, testVault } from '../../../../helpers/vault.ts';
import { guest, sightingOf } from '../../../../helpers/vault-guests.ts';

const ROOM = { bytes: 2 ** 20, whenFull: 'drop-oldest' } as const;
const ALL = 2 ** 20;
const opened = async (box: TestBox, settings?: Parameters<typeof testVault>[3]): Promise<Vault> => {
  const vault = testVault(box, 'hall', Date.now, settings);
  await vault.start();
  return vault;
};
const idsOf = (reports: readonly { readonly id: string }[]): string[] => reports.map(({ id }) => id);
const recorded = (vault: Vault, count: number): string[] =>
  Array.from({ length: count }, () => {
    const sighting = sightingOf(null, 'hall', 'unknown');
    vault.recordSighting(sighting);
    return sighting.id;
  });

test('a sighting waits, without the customer, until it is told, over restarts', async () => {
  const box = await testBox();
  const vault = await opened(box, ROOM);
  const { customerId } = vault.customers.enrol(guest(1));
  const known: Sighting = { ...sightingOf(customerId), score: 0.79 };
  vault.recordSighting(known);
  const [unknown = ''] = recorded(vault, 1);
  const told = [
    { id: known.id, camera: 'door', begunAt: known.startedAt, endedAt: known.endedAt, known: true, confidence: 7 },
    { id: unknown, camera: 'door', begunAt: expect.any(String), endedAt: expect.any(String), known: false, confidence: null },
  ];
  expect(vault.outbox.untold(ALL)).toEqual(told);
  expect(JSON.stringify(vault.outbox.untold(ALL))).not.toContain(customerId);
  vault.stop();
  const again = await opened(box, ROOM);
  expect(again.outbox.untold(ALL)).toEqual(told);
  again.outbox.told([known.id]);
  expect(idsOf(again.outbox.untold(ALL))).toEqual([unknown]);
  again.outbox.told([unknown, newId('sighting')]);
  expect(again.outbox.size).toEqual({ items: 0, bytes: 0, dropped: 0 });
});

test('what is not kept waits for nobody, and a tenant that the control plane does not know tells nothing', async () => {
  const box = await testBox();
  const vault = await opened(box, ROOM);
  expect(() => vault.recordSighting(sightingOf(newId('customer')))).toThrow(expect.objectContaining({ code: 'customer_not_found' }));
  expect(vault.outbox.size.items).toBe(0);
  vault.stop();
  const alone = await opened(box);
  recorded(alone, 3);
  alone.usage.count('frames', 3);
  expect([alone.outbox.size.items, alone.usage.untold()]).toEqual([0, []]);
  expect(alone.sightings.list({ limit: 10 }).items).toHaveLength(3);
});

test('where there is no more room the oldest ones go, or the newest, and are counted for ever', async () => {
  const box = await testBox();
  const first = await opened(box, ROOM);
  const [one = ''] = recorded(first, 1);
  const { bytes } = first.outbox.size;
  first.stop();

  // Not quite room for six.
  const small = { bytes: bytes * 5 + 100, whenFull: 'drop-oldest' } as const;
  const oldest = await opened(box, small);
  const ids = recorded(oldest, 10);
  const { items, bytes: used, dropped } = oldest.outbox.size;
  expect(idsOf(oldest.outbox.untold(ALL))).toEqual(ids.slice(-items));
  expect([items + dropped, used <= small.bytes, items > 3]).toEqual([11, true, true]);
  expect(ids).not.toContain(one);
  oldest.stop();

  const newest = await opened(box, { ...small, whenFull: 'drop-newest' });
  recorded(newest, 2);
  expect(idsOf(newest.outbox.untold(ALL))).toEqual(ids.slice(-items));
  expect(newest.outbox.size).toEqual({ items, bytes: used, dropped: dropped + 2 });
  expect(newest.sightings.list({ limit: 100 }).items).toHaveLength(13);
});

test('a batch is of so many bytes, the first first', async () => {
  const vault = await opened(await testBox(), ROOM);
  const ids = recorded(vault, 300);
  const some = vault.outbox.untold(2000);
  expect(idsOf(some)).toEqual(ids.slice(0, some.length));
  expect(JSON.stringify(some).length).toBeLessThan(2000 + some.length * 2);
  expect(some.length).toBeGreaterThan(8);
  expect(vault.outbox.untold(ALL)).toHaveLength(256);
});

test('an item that was changed, or put in the place of another, is dropped, and those after it are told', async () => {
  const database = new Database(':memory:');
  for (const step of VAULT_SCHEMA) database.exec(step);
  const scope = { org: 'acme', tenant: 'hall', box: newId('box') };
  const key = { version: 1, bytes: randomBytes(32) };
  const outbox = new Outbox({ scope, key, database, settings: ROOM, logger: testLogger() });
  const sightings = Array.from({ length: 4 }, () => sightingOf(null, 'hall', 'unknown'));
  for (const sighting of sightings) outbox.put(sighting);
  // As somebody would who has the file key.
  database.exec('UPDATE outbox SET envelope = (SELECT envelope FROM outbox WHERE position = 2) WHERE position = 1');
  database.exec("UPDATE outbox SET envelope = CAST(substr(envelope, 1, 80) || x'00' || substr(envelope, 82) AS BLOB) WHERE position = 3");
  expect(idsOf(outbox.untold(ALL))).toEqual([sightings[1]?.id, sightings[3]?.id]);
  expect(outbox.size).toMatchObject({ items: 2, dropped: 2 });
  outbox.stop();
  expect(key.bytes.every((byte) => byte === 0)).toBe(true);
});

test('usage is told of each run of the vault by itself, all that it has counted so far', async () => {
  const box = await testBox();
  const vault = await opened(box, ROOM);
  vault.usage.count('frames', 5);
  const [first] = vault.usage.untold();
  expect(first).toMatchObject({ counters: { frames: 5 } });
  vault.usage.count('frames', 2);
  vault.usage.count('faces_searched', 1);
  // What came meanwhile is not taken for told.
  if (first) vault.usage.told([first]);
  expect(vault.usage.untold()).toEqual([{ ...first, counters: { frames: 7, faces_searched: 1 } }]);
  vault.usage.told(vault.usage.untold());
  expect(vault.usage.untold()).toEqual([]);
  vault.usage.count('frames', 1);
  vault.stop();

  const again = await opened(box, ROOM);
  again.usage.count('frames', 10);
  const days = again.usage.untold();
  expect(days.map(({ counters }) => counters)).toEqual([{ frames: 8 }, { frames: 10 }]);
  expect(days[0]?.run).toBe(first?.run);
  again.usage.told(days);
  // A run that is over is forgotten; the present one counts on.
  again.usage.count('frames', 1);
  expect(again.usage.untold()).toEqual([{ ...days[1], counters: { frames: 11 } }]);
  expect(again.usage.between('2000-01-01', '2100-01-01')).toMatchObject([{ counters: { frames: 19, faces_searched: 1 } }]);
});
