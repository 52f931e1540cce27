import Database from 'better-sqlite3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../../../edge/runtime/clock.ts';
import { UsageStore } from '../../../../../edge/vault/store/usage-store.ts';
import { VAULT_SCHEMA } from '../../../../../edge/vault/store/vault-schema.ts';
import { UsageCounters } from '../../../../../edge/vault/usage/usage-counters.ts';
import type { Vault } from '../../../../../edge/vault/vault.ts';
import { createLogger } from '../../../../../shared/log/create-logger.ts';
import { testBox, testVault } from '../../../../helpers/vault.ts';

let now = 0;
async function openVault(box: Parameters<typeof testVault>[0]): Promise<Vault> {
  const vault = testVault(box, 'hall', () => now);
  await vault.start();
  return vault;
}

test('are counted by day in UTC and outlive the vault', async () => {
  const box = await testBox();
  const vault = await openVault(box);
  now = Date.parse('2026-11-21T23:59:59.999Z');
  vault.usage.count('search', 1);
  vault.usage.count('search', 2);
  vault.usage.count('enrol', 1);
  now += 1;
  vault.usage.count('search', 5);
  const all = [
    { day: '2026-11-21', counters: { enrol: 1, search: 3 } },
    { day: '2026-11-22', counters: { search: 5 } },
  ];
  expect(vault.usage.between('2026-11-21', '2026-11-22')).toEqual(all);
  vault.usage.count('search', 1);
  vault.stop();
  const again = await openVault(box);
  expect(again.usage.between('2026-11-22', '2026-12-31')).toEqual([{ day: '2026-11-22', counters: { search: 6 } }]);
  expect(again.usage.between('2026-11-01', '2026-11-20')).toEqual([]);
});

test('are written together, some seconds after the first; what could not be written waits for the next time', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const database = new Database(':memory:');
  for (const step of VAULT_SCHEMA) database.exec(step);
  const written = (): unknown[] => database.prepare('SELECT counter, amount FROM usage_counters ORDER BY counter').raw().all();
  const counters = new UsageCounters(new UsageStore(database), { ...systemClock, now: () => 0 }, createLogger('test', { level: 'silent' }));
  counters.count('a', 1);
  counters.count('a', 1);
  expect(written()).toEqual([]);
  vi.advanceTimersByTime(60_000);
  expect(written()).toEqual([['a', 2]]);
  expect(counters.failing).toBe(false);
  database.pragma('query_only = ON');
  counters.count('a', 1);
  vi.advanceTimersByTime(60_000);
  expect(counters.failing).toBe(true);
  database.pragma('query_only = OFF');
  counters.count('b', 1);
  expect(written()).toEqual([['a', 2]]);
  counters.stop();
  expect(written()).toEqual([
    ['a', 3],
    ['b', 1],
  ]);
  expect(counters.failing).toBe(false);
});
