import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { openAppliance } from '../../edge/appliance/open-appliance.ts';
import { BestShots } from '../../edge/box/best-shots.ts';
import { Leases } from '../../edge/box/leases.ts';
import { Shredder } from '../../edge/box/shredder.ts';
import { Tenants } from '../../edge/box/tenants.ts';
import { parseConfig } from '../../edge/config/load-config.ts';
import type { Config } from '../../edge/config/schema.ts';
import type { FaceShot } from '../../edge/pipeline/frame.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { shredTenant } from '../../edge/vault/shred/shred-tenant.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { onEachWrite } from '../helpers/on-each-write.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const PROCESS = fileURLToPath(new URL('../helpers/shred-process.ts', import.meta.url));
/** `npm run drill:cloud-crash` takes each record. */
const EVERY = Number(process.env.CRASH_EVERY ?? 3);
const PATIENTLY = { timeout: 20_000 };

interface Folders {
  readonly dataDir: string;
  readonly keyDir: string;
  readonly keyringReplicaDir: string;
}

const configOf = (folders: Folders): object => ({
  ...folders,
  tenants: [
    { id: 'hall', org: 'acme' },
    { id: 'hall-2', org: 'acme' },
  ],
});

async function foldersIn(root: string): Promise<Folders> {
  const folders = { dataDir: join(root, 'data'), keyDir: join(root, 'keys'), keyringReplicaDir: join(root, 'replica') };
  await mkdir(folders.keyringReplicaDir, { recursive: true });
  return folders;
}

async function box(folders: Folders, content = configOf(folders)) {
  const config: Config = parseConfig(content);
  const appliance = openAppliance(config.dataDir);
  const logger = testLogger();
  const tenants = new Tenants({
    config,
    appliance: () => appliance,
    clock: systemClock,
    logger,
    onOpen: async () => undefined,
    onClose: async () => undefined,
    waits: () => new BackOff(10, 10),
  });
  const leases = new Leases({ tenants, carrier: undefined, random: () => 0, logger });
  const shredder = new Shredder({ config, appliance: () => appliance, tenants, leases, holders: [], clock: systemClock, logger });
  const { signal } = new AbortController();
  await tenants.start(signal);
  await tenants.opened(signal);
  await shredder.start();
  const stop = async (): Promise<void> => {
    await shredder.stop();
    await tenants.stop();
    appliance.close();
  };
  return { appliance, tenants, shredder, stop };
}

/** Files of `hall` in these folders, and what has its name; `hall-2` is another tenant. */
async function tracesOfHall(folders: Folders): Promise<string[]> {
  const all = await Promise.all(Object.values(folders).map((folder: string) => readdir(folder, { recursive: true })));
  return all.flat().filter((path) => path.split('/').some((name) => /^hall(\.|$)/.test(name)));
}

test('a tenant goes from the box for ever, and the others go on', async () => {
  const folders = await foldersIn(await tempFolder());
  const one = await box(folders);
  await one.tenants.add({ id: 'club', org: 'acme' });
  one.appliance.apiKeys.add('hall', { title: 'desk', scopes: [], expiresAt: null });
  const pids = ['hall', 'hall-2', 'club'].map((id) => one.tenants.vault(id).pid ?? 0);
  await one.tenants.vault('hall-2').addRecord('notes', { text: 'stays' });
  await expect.poll(() => tracesOfHall(folders), PATIENTLY).toEqual(expect.arrayContaining([expect.stringContaining('header.json')]));
  expect(one.tenants.replicaBehind).toBe(false);

  const removed = await one.shredder.shred('acme', 'hall');
  expect(removed).toMatchObject({ customers: 0, tpmCounter: false });
  expect(removed?.keyFiles).toBeGreaterThanOrEqual(3);
  expect(removed?.dataFiles).toBeGreaterThanOrEqual(1);
  expect(removed?.bytes).toBeGreaterThan(1000);
  expect(await tracesOfHall(folders)).toEqual([]);
  expect(() => process.kill(pids[0] ?? 0, 0)).toThrow('ESRCH');
  expect(one.appliance.apiKeys.list('hall')).toEqual([]);
  expect(one.tenants.list().map(({ id, state }) => ({ id, state }))).toEqual([
    { id: 'hall-2', state: 'ready' },
    { id: 'club', state: 'ready' },
  ]);
  expect([one.tenants.vault('hall-2').pid, one.tenants.vault('club').pid]).toEqual(pids.slice(1));
  expect((await one.tenants.vault('hall-2').listRecords('notes', { limit: 1 })).items).toMatchObject([{ data: { text: 'stays' } }]);
  expect(await one.shredder.shred('acme', 'hall'), 'ordered again').toEqual(removed);

  // Neither somebody who adds it nor the configuration file brings it back; one that was added at run time goes as well.
  await expect(one.tenants.add({ id: 'hall', org: 'acme' })).rejects.toMatchObject({ code: 'tenant_shredded' });
  expect(() => one.tenants.vault('hall')).toThrow(expect.objectContaining({ code: 'tenant_shredded' }));
  await one.shredder.shred('acme', 'club');
  await one.stop();
  const again = await box(folders);
  onTestFinished(again.stop);
  expect(again.tenants.list().map(({ id }) => id)).toEqual(['hall-2']);
  expect(() => again.tenants.get('hall')).toThrow(expect.objectContaining({ code: 'tenant_shredded' }));
  expect(await again.shredder.shred('acme', 'hall')).toEqual(removed);
  expect(await tracesOfHall(folders)).toEqual([]);
}, 60_000);

test('the face that a camera still brings while it stops is overwritten at once, and the box goes on', async () => {
  const one = await box(await foldersIn(await tempFolder()));
  onTestFinished(one.stop);
  const shots = new BestShots(systemClock, (tenant) => one.tenants.policyOf(tenant).unmatchedTtlMs);
  await shots.start();
  onTestFinished(() => shots.stop());
  await one.shredder.shred('acme', 'hall');
  const point = { x: 0, y: 0 };
  const shot: FaceShot = {
    ...{ box: { x: 0, y: 0, width: 80, height: 80 }, points: [point, point, point, point, point], rejections: [] },
    quality: { sizePx: 80, sharpness: 2, yaw: 0, pitch: 0, roll: 0, cutOff: 0, overall: 1 },
    aligned: { width: 112, height: 112, data: Buffer.alloc(112 * 112 * 3, 1) },
  };
  for (const tenant of ['hall', 'hall-2']) shots.offer(tenant, 'sig_a', shot, systemClock.monotonic());
  await expect.poll(() => shots.take('hall', 'sig_a'), PATIENTLY).toBeUndefined();
  expect(shots.take('hall-2', 'sig_a')).toBeDefined();
});

test('a tenant that this box never had does not come to it either', async () => {
  const one = await box(await foldersIn(await tempFolder()));
  onTestFinished(one.stop);
  expect(await one.shredder.shred('acme', 'never')).toMatchObject({ keyFiles: 0, dataFiles: 0, bytes: 0 });
  await expect(one.tenants.add({ id: 'never', org: 'acme' })).rejects.toMatchObject({ code: 'tenant_shredded' });
});

/** @returns how many files and folders were removed; undefined where it was killed before the nth */
async function killedBefore(at: number, place: object): Promise<number | undefined> {
  const child = spawn(process.execPath, [PROCESS, String(at), JSON.stringify(place)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [out] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return out === '' ? undefined : Number(out);
}

test('a process that is killed (SIGKILL) before any file that it removes leaves nothing that the next one does not remove', async () => {
  const root = await tempFolder();
  const made = await foldersIn(join(root, 'made'));
  const one = await box(made);
  await one.stop();
  const copyAt = async (name: string): Promise<Folders> => {
    const folders = await foldersIn(join(root, name));
    for (const part of ['dataDir', 'keyDir'] as const) await cp(made[part], folders[part], { recursive: true });
    return folders;
  };
  const scope = { org: 'acme', tenant: 'hall', box: one.appliance.box };
  const removals = (await killedBefore(0, { scope, ...(await copyAt('whole')) })) ?? 0;
  expect(removals).toBeGreaterThan(6);
  const killed = async (at: number): Promise<void> => {
    const { keyringReplicaDir: _none, ...place } = await copyAt(String(at));
    expect(await killedBefore(at, { scope, ...place })).toBeUndefined();
    const folders = { ...place, keyringReplicaDir: place.dataDir };
    await rm(join(place.keyDir, 'hall.keyring-version'));
    await shredTenant({ scope, ...place, lease: undefined });
    expect(await tracesOfHall(folders), `removal ${at}`).toEqual([]);
    expect(existsSync(join(place.keyDir, 'hall-2.key')), 'of another tenant').toBe(true);
  };
  for (let at = 1; at <= removals; at += 4) await Promise.all([at, at + 1, at + 2, at + 3].filter((n) => n <= removals).map(killed));
}, 300_000);

test('a box that loses power before any of the records of a shred finishes it at the next start, or has not begun', async () => {
  const folders = await foldersIn(await tempFolder());
  // So that nobody else writes.
  const alone = { dataDir: folders.dataDir, keyDir: folders.keyDir, tenants: [{ id: 'hall', org: 'acme' }] };
  for (let at = 1, done = false; !done; at += EVERY) {
    const id = `club-${at}`;
    const one = await box(folders, alone);
    await one.tenants.add({ id, org: 'acme' });
    let writes = 0;
    const end = onEachWrite(() => {
      writes += 1;
      if (writes >= at) throw new Error('no power');
    });
    done = await one.shredder.shred('acme', id).then(
      () => true,
      () => false,
    );
    end();
    const begun = one.appliance.tombstones.find(id) !== undefined;
    await one.stop();
    const again = await box(folders, alone);
    const left = async (): Promise<string[]> => (await readdir(join(folders.dataDir, 'tenants'))).filter((name) => name.startsWith(id));
    if (begun) {
      await expect.poll(() => again.appliance.tombstones.find(id)?.finished, PATIENTLY).toBe(true);
      expect(await left(), `write ${at}`).toEqual([]);
      expect(again.appliance.tombstones.find(id)?.removed?.keyFiles, `write ${at}`).toBeGreaterThan(2);
    } else {
      expect(again.tenants.get(id).state).toBe('ready');
    }
    await again.stop();
  }
}, 300_000);
