import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openAppliance } from '../../edge/appliance/open-appliance.ts';
import { Tenants } from '../../edge/box/tenants.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const HOUR_MS = 3_600_000;
const POLL = { timeout: 20_000 };

/** The tenant `hall` whose vault does not open, since its key is another one. */
async function closedHall(waitMs: number) {
  const folder = await tempFolder();
  const [dataDir, keyDir] = [join(folder, 'data'), join(folder, 'keys')];
  await mkdir(dataDir);
  const appliance = openAppliance(dataDir, systemClock);
  onTestFinished(() => appliance.close());
  const opened: string[] = [];
  const tenants = new Tenants({
    config: {
      tenants: [{ id: 'hall', org: 'acme', hostnames: [], keys: 'file', unmatchedTtlMs: 10_000, sightingsDays: 30 }],
      dataDir,
      keyDir,
      outbox: { mebibytesPerTenant: 64, whenFull: 'drop-oldest' },
    },
    appliance: () => appliance,
    clock: systemClock,
    logger: testLogger(),
    onOpen: async (tenant) => void opened.push(tenant),
    onClose: async () => undefined,
    waits: () => new BackOff(waitMs, waitMs),
  });
  const start = async (): Promise<void> => {
    const { signal } = new AbortController();
    await tenants.start(signal);
    await tenants.opened(signal);
  };
  await start();
  onTestFinished(() => tenants.stop());
  await tenants.stop();
  const key = join(keyDir, 'hall.key');
  await rename(key, `${key}.right`);
  await writeFile(key, Buffer.alloc(32, 7), { mode: 0o600 });
  opened.length = 0;
  await start();
  expect(tenants.get('hall')).toMatchObject({ state: 'failed', reason: 'key_rejected' });
  return { tenants, opened, mend: () => rename(`${key}.right`, key) };
}

test('a vault that somebody has mended is opened when he says so, and not before', async () => {
  const { tenants, opened, mend } = await closedHall(HOUR_MS);
  await expect(tenants.open('hall')).rejects.toMatchObject({ code: 'key_rejected' });
  expect(tenants.get('hall')).toMatchObject({ state: 'failed', reason: 'key_rejected' });
  await mend();
  expect(await tenants.open('hall')).toMatchObject({ state: 'ready', reason: null });
  expect(opened).toEqual(['hall']);
  expect(await tenants.open('hall')).toMatchObject({ state: 'ready' });
  await expect(tenants.open('nobody')).rejects.toMatchObject({ code: 'tenant_not_found' });
});

test('a vault that nobody says is mended is tried now and then, and tells its reason meanwhile', async () => {
  const { tenants, opened, mend } = await closedHall(50);
  const states: string[] = [];
  tenants.vault('hall').onStateChange((state) => states.push(`${state} ${tenants.get('hall').reason}`));
  await expect.poll(() => states.filter((state) => state === 'failed key_rejected').length, POLL).toBeGreaterThan(1);
  expect(new Set(states)).toEqual(new Set(['starting key_rejected', 'failed key_rejected']));
  await mend();
  await expect.poll(() => opened, POLL).toEqual(['hall']);
  expect(tenants.get('hall')).toMatchObject({ state: 'ready', reason: null });
});

test('a box that stops waits for no vault', async () => {
  const { tenants } = await closedHall(HOUR_MS);
  const timers = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const before = timers();
  await tenants.stop();
  expect(timers()).toBe(before - 1);
});
