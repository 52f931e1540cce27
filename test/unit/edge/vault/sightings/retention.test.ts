import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../../../edge/runtime/clock.ts';
import { CustomerAccess } from '../../../../../edge/vault/customers/customer-access.ts';
import { HeaderFile } from '../../../../../edge/vault/keys/header-file.ts';
import { Keyring } from '../../../../../edge/vault/keys/keyring.ts';
import { KEYS_SCHEMA } from '../../../../../edge/vault/keys/keys-schema.ts';
import { StandaloneKeySource } from '../../../../../edge/vault/keys/standalone-key-source.ts';
import { Retention } from '../../../../../edge/vault/sightings/retention.ts';
import { CustomerStore } from '../../../../../edge/vault/store/customer-store.ts';
import { SightingStore } from '../../../../../edge/vault/store/sighting-store.ts';
import { VAULT_SCHEMA } from '../../../../../edge/vault/store/vault-schema.ts';
import type { Vault } from '../../../../../edge/vault/vault.ts';
import { createLogger } from '../../../../../shared/log/create-logger.ts';
import type { Sighting } from '../../../../../shared/messages/events.ts';
import { asInsider } from '../../../../helpers/as-insider.ts';
import { type TestBox, testBox, testVault } from '../../../../helpers/vault.ts';
import { consentFor, guest, sightingOf } from '../../../../helpers/vault-guests.ts';

const DAY_MS = 86_400_000;
const START = Date.parse('2026-11-21T12:00:00Z');

let now: number;
let box: TestBox;
let vault: Vault;
let customerId: string;
beforeEach(async () => {
  now = START;
  box = await testBox();
  vault = testVault(box, 'hall', () => now);
  await vault.start();
  customerId = vault.customers.enrol({ ...guest(1), consent: consentFor(DAY_MS, START) }).customerId;
});

/** Records a sighting that ended now or then, of the customer unless said. @returns its id */
function record(endedAt = new Date(now).toISOString(), sighting: Sighting = sightingOf(customerId)): string {
  vault.sightings.record({ ...sighting, endedAt });
  return sighting.id;
}
const stranger = (): Sighting => sightingOf(null, 'hall', 'unknown');
const listed = (): string[] => vault.sightings.list({ limit: 200 }).items.map(({ id }) => id);
/** @returns in how many steps */
function sweep(): number {
  let steps = 0;
  while (vault.retention.sweep()) steps += 1;
  return steps;
}
/** What is on the disk, and the days that are known; the vault is stopped for it. */
async function stored(): Promise<{ ids: unknown[]; days: unknown[]; text: string }> {
  vault.stop();
  return asInsider(box, 'file-vault', (database) => ({
    ids: database.prepare('SELECT id FROM sightings ORDER BY position').pluck().all(),
    days: database.prepare('SELECT day FROM sighting_days ORDER BY day').pluck().all(),
    text: database.serialize().toString('latin1'),
  }));
}

test('keeps sightings for as many days as it is told, and leaves nothing of the others on the disk', async () => {
  record();
  record(undefined, { ...stranger(), camera: 'findable-door' });
  now += DAY_MS;
  const second = record();
  vault.retention.keep(2);
  expect(sweep(), 'both days are kept').toBe(0);
  // The last millisecond of the second day.
  now = Date.parse('2026-11-22T23:59:59.999Z');
  expect(listed()).toHaveLength(3);
  now += 1;
  expect(listed(), 'they are shown to nobody before they are removed').toEqual([second]);
  expect(sweep()).toBe(1);
  expect(statSync(join(box.dataDir, 'tenants/hall/vault.db-wal')).size, 'nor in the log').toBe(0);
  const { ids, days, text } = await stored();
  expect(ids).toEqual([second]);
  expect(days).toEqual(['2026-11-22']);
  expect(text).not.toContain('findable-door');
});

test('keeps all until it is told for how long', async () => {
  record('2001-01-01T00:00:00Z');
  expect(sweep()).toBe(0);
  expect(listed()).toHaveLength(1);
});

test('takes a sighting that was reported again after midnight for one of the later day', async () => {
  const early = record('2026-11-20T23:58:00Z');
  const over = { ...sightingOf(customerId) };
  record('2026-11-20T23:59:00Z', over);
  record('2026-11-21T00:01:00Z', over);
  const late = record();
  vault.retention.keep(1);
  sweep();
  expect(listed()).toEqual([late, over.id]);
  expect((await stored()).ids).toEqual([over.id, late]);
  expect(early).not.toBe(over.id);
});

test('finds what is over among later sightings, when the clock of the box was wrong in between', async () => {
  const first = record();
  record('1970-01-01T00:00:00Z');
  record('1970-01-01T00:00:00Z', stranger());
  const last = record();
  vault.retention.keep(30);
  expect(listed()).toEqual([last, first]);
  sweep();
  expect((await stored()).ids).toEqual([first, last]);
});

test('looks at a limited number in one step, and goes on where it was after a restart', async () => {
  for (let count = 0; count < 450; count += 1) record('2026-11-01T12:00:00Z', stranger());
  const kept = record();
  vault.retention.keep(7);
  expect(vault.retention.sweep()).toBe(true);
  expect((await stored()).ids).toHaveLength(251);
  await vault.start();
  vault.retention.keep(7);
  expect(sweep()).toBe(2);
  expect((await stored()).ids).toEqual([kept]);
});

test('removes by itself what is over, a few at a time, and later what is over then', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const database = new Database(':memory:');
  for (const step of VAULT_SCHEMA) database.exec(step);
  const store = new SightingStore(database);
  for (let count = 0; count < 451; count += 1) {
    const day = count === 450 ? '2026-11-15' : '2026-11-14';
    store.put({ id: `sig_${count}`, customer_id: null, content: Buffer.from('of one day: not opened') }, day);
  }
  const logger = createLogger('test', { level: 'silent' });
  const scope = { org: 'acme', tenant: 'hall', box: box.box };
  const header = new HeaderFile('not read', scope, new StandaloneKeySource({ ...box, tenant: 'hall' }));
  const keyring = new Keyring(scope, header, { keys: new Map(), previous: new Map() }, new Database(':memory:').exec(KEYS_SCHEMA.join('')));
  const nobody = new CustomerAccess(scope, keyring, new CustomerStore(database), logger);
  const retention = new Retention(nobody, store, { ...systemClock, now: () => now }, logger);
  retention.keep(7);
  for (const [milliseconds, left] of [
    [0, 251],
    [99, 251],
    [1, 51],
    [100, 1],
    [600_000, 1],
  ] as const) {
    vi.advanceTimersByTime(milliseconds);
    expect(database.prepare('SELECT count(*) FROM sightings').pluck().get()).toBe(left);
  }
  now += DAY_MS;
  vi.advanceTimersByTime(600_000);
  expect(database.prepare('SELECT count(*) FROM sightings').pluck().get()).toBe(0);
  retention.stop();
  expect(vi.getTimerCount()).toBe(0);
});

test('removes what does not open with the last day to which it can belong', async () => {
  record('2026-11-19T12:00:00Z', stranger());
  const torn = record('2026-11-21T12:00:00Z', stranger());
  record('2026-11-19T12:00:00Z', stranger());
  vault.stop();
  await asInsider(box, 'file-vault', (database) => database.prepare("UPDATE sightings SET content = x'00' WHERE id = ?").run(torn));
  await vault.start();
  for (const left of [[torn], [torn], []]) {
    vault.retention.keep(2);
    sweep();
    expect((await stored()).ids).toEqual(left);
    await vault.start();
    now += DAY_MS;
  }
});

test('finds the days of sightings that an earlier version stored without them', async () => {
  record('2026-11-01T12:00:00Z');
  const kept = record('2026-11-20T12:00:00Z');
  record('2026-11-01T12:00:00Z', stranger());
  vault.stop();
  await asInsider(box, 'file-vault', (database) => database.exec("DELETE FROM sighting_days; INSERT INTO sighting_days VALUES ('', 1, 3)"));
  await vault.start();
  vault.retention.keep(7);
  sweep();
  expect(await stored()).toMatchObject({ ids: [kept], days: ['2026-11-20'] });
});
