import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TenantView } from '../../../../edge/api/ports.ts';
import { EpochMoves } from '../../../../edge/box/epoch-moves.ts';
import { systemClock } from '../../../../edge/runtime/clock.ts';
import type { VaultClient } from '../../../../edge/vault/client.ts';
import { createLogger } from '../../../../shared/log/create-logger.ts';
import { testBox, testClient } from '../../../helpers/vault.ts';
import { guest } from '../../../helpers/vault-guests.ts';

const HOUR_MS = 3_600_000;

test('every tenant with an erasure gets another key in time, also beside one that cannot', async () => {
  const box = await testBox();
  const vaults = new Map<string, VaultClient>();
  const begun = Date.now();
  for (const id of ['closed', 'broken', 'hall', 'leased', 'quiet']) vaults.set(id, testClient(box, id));
  for (const [id, vault] of vaults) {
    if (id === 'closed') continue;
    await vault.start();
    const { customerId } = await vault.enrolCustomer(guest(1));
    if (id !== 'quiet') await vault.removeCustomer(customerId);
  }
  const erased = Date.now();
  let now = begun + 24 * HOUR_MS;
  const log: string[] = [];
  const moves = new EpochMoves({
    tenants: {
      list: () => Array.from(vaults, ([id, { state }]) => ({ id, state }) as TenantView),
      vault: (id) => vaults.get(id) as VaultClient,
    },
    isLeased: (tenant) => tenant === 'leased',
    hours: 24,
    clock: { ...systemClock, now: () => now },
    logger: createLogger('test', { level: 'warn', stream: { write: (line) => void log.push(line) } }),
  });
  const before = ['broken.key', 'hall.key', 'leased.key', 'quiet.key'];
  await moves.look();
  expect(await readdir(box.keyDir)).toEqual(before);
  now = erased + 24 * HOUR_MS + 1;
  await rm(join(box.keyDir, 'broken.key'));
  await moves.look();
  expect((await readdir(box.keyDir)).filter((name) => !name.startsWith('broken'))).toEqual(['hall.2.key', 'leased.key', 'quiet.key']);
  expect(log.map((line) => (JSON.parse(line) as { tenant: string }).tenant)).toEqual(['broken']);
}, 60_000);
