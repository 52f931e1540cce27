import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkCanaries } from '../../provisioning/demo/scan/check-canaries.ts';
import { scanFolder } from '../../provisioning/demo/scan/scan-folder.ts';
import { type Secrets, secretsSearch } from '../../provisioning/demo/scan/secrets-search.ts';
import { findVault } from '../../provisioning/drills/harness/find-vault.ts';
import { asInsider } from '../helpers/as-insider.ts';
import { type BackupBox, backup, backupBox } from '../helpers/backup-box.ts';
import type { DaemonProcess } from '../helpers/daemon-process.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { testClient } from '../helpers/vault.ts';
import { embeddingOf, MODEL, pictureOf } from '../helpers/vault-guests.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));
const UP_TO_DATE = { ready: true, parts: expect.arrayContaining([{ part: 'keyring replica', ready: true, reason: null }]) };

beforeAll(async () => {
  await embeddedModels();
}, 120_000);

let box: BackupBox;
beforeEach(async () => {
  box = await backupBox();
});

/** Runs `backup create` and kills it as soon as `begun` is there. */
async function killed(begun: string, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'backup', ...args], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await expect.poll(() => existsSync(begun) || child.exitCode !== null, { interval: 1, timeout: 60_000 }).toBe(true);
  child.kill('SIGKILL');
  await ended;
}

/** Guests of these seeds whom the stopped box's vault names. */
async function named(seeds: readonly number[]): Promise<string[]> {
  const vault = testClient(box.files);
  await vault.start();
  const found = await vault.search({ embeddings: seeds.map(embeddingOf), model: MODEL, limit: 1 });
  await vault.stop();
  return found.flatMap((candidates) => candidates.filter(({ score }) => score > 0.9).map(({ customerId }) => customerId));
}

test('the drill: 100 guests, a backup, 10 erased, the disk gone, and 90 are back', async () => {
  const seeds = Array.from({ length: 100 }, (_, seed) => seed);
  const guests = await box.enrol(seeds);
  const [erased, kept] = [guests.slice(0, 10), guests.slice(10)];
  const before = await box.start();
  expect(await box.health()).toMatchObject({ warnings: ['backup_outdated'] });
  expect(await backup('create', box.path('backup'), '--config', box.config)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Backed up 1 tenant/),
  });
  for (const customerId of erased) await box.erase(customerId);
  before.kill('SIGKILL');
  await before.exit;
  await rm(box.path('data'), { recursive: true });

  const restored = await backup('restore', box.path('backup'), '--config', box.config, '--json');
  expect(restored.code, restored.stderr).toBe(0);
  expect(JSON.parse(restored.stdout)).toEqual({
    tenants: [expect.objectContaining({ tenant: 'hall', customers: 90, erased: 10, keyless: 0, damaged: 0 })],
  });
  const after = await box.start();
  expect(await box.health()).toMatchObject({ warnings: [] });
  expect((await box.customers()).toSorted()).toEqual(kept.toSorted());
  await box.ask('POST', '/v1/tenants/hall/erasures/move');
  expect(await box.health(), 'the copy of the key is one of before').toMatchObject({ warnings: ['key_copy_outdated'] });
  await expect.poll(() => box.health(), { timeout: 30_000 }).toMatchObject(UP_TO_DATE);
  after.kill('SIGTERM');
  expect(await after.exit).toBe(0);
  expect((await named(seeds)).toSorted()).toEqual(kept.toSorted());
  for (const [file, tables] of [
    ['file-vault', ['customers', 'consents', 'faces']],
    ['file-keys', ['customer_keys']],
  ] as const) {
    const found = await asInsider(box.files, file, (database) =>
      tables.map((table) => {
        const column = table === 'customers' ? 'id' : 'customer_id';
        return (database.prepare(`SELECT ${column} AS id FROM ${table}`).all() as { id: string }[]).filter(({ id }) => erased.includes(id));
      }),
    );
    expect(found.flat()).toEqual([]);
  }
}, 180_000);

test('a backup that is made while guests are added and erased is of one moment, and opens', async () => {
  const guests = await box.enrol([1, 2, 3, 4, 5]);
  await box.start();
  const acknowledged: string[] = [];
  let working = true;
  const load = (async () => {
    while (working) {
      acknowledged.push(await box.add(`Guest ${acknowledged.length}`));
      // Erases outrun a copy, and these are more than there will ever be.
      if (acknowledged.length % 10 === 0) await box.erase(guests.pop() ?? acknowledged.pop() ?? '');
    }
  })();
  await expect.poll(() => acknowledged.length).toBeGreaterThan(5);
  const before = acknowledged.length + guests.length - 1;
  const created = await backup('create', box.path('backup'), '--config', box.config);
  working = false;
  await load;
  expect(created.code, created.stderr).toBe(0);
  await expect.poll(() => box.health(), { timeout: 30_000 }).toMatchObject(UP_TO_DATE);
  const verified = await backup('verify', box.path('backup'), '--config', box.config, '--json');
  expect(verified.code, verified.stderr).toBe(0);
  const { tenants } = JSON.parse(verified.stdout) as { tenants: { customers: number; erased: number }[] };
  expect((tenants[0]?.customers ?? 0) + (tenants[0]?.erased ?? 0)).toBeGreaterThanOrEqual(before);
}, 120_000);

test('nothing of a person, and no key, can be read in a backup or in the replica of a keyring', async () => {
  const secrets: Secrets = {
    embeddings: [embeddingOf(1)],
    names: ['Wilhelmina Findable'],
    pictures: [Buffer.concat([Buffer.from([0xff, 0xda, 0, 2]), pictureOf(1)])],
  };
  await box.enrol([1]);
  const search = secretsSearch(secrets);
  search.add('name of a guest', Buffer.from('Guest Number 1'));
  search.add('tenant key', await readFile(box.path('keys', 'hall.key')));
  await box.start();
  await box.add('Wilhelmina Findable');
  expect(await backup('create', box.path('backup'), '--config', box.config)).toMatchObject({ code: 0 });
  await expect.poll(() => box.health(), { timeout: 30_000 }).toMatchObject(UP_TO_DATE);
  const files = await readdir(box.path('backup'), { recursive: true });
  expect(files.toSorted()).toEqual(['hall', 'hall/vault.db', 'manifest.json']);
  await checkCanaries(box.path('backup'), secrets, search);
  for (const place of ['backup', 'replica']) expect(await scanFolder(box.path(place), search)).toEqual(new Map());
}, 120_000);

describe('killed with SIGKILL', () => {
  test('while it creates: there is no backup, and the next one is made', async () => {
    await box.enrol([1]);
    const daemon = await box.start();
    const vault = await findVault(daemon.pid, 'hall');
    process.kill(vault, 'SIGSTOP');
    await killed(box.path('backup.unfinished', 'hall'), 'create', box.path('backup'), '--config', box.config);
    process.kill(vault, 'SIGCONT');
    expect([existsSync(box.path('backup.unfinished')), existsSync(box.path('backup'))]).toEqual([true, false]);
    expect(await backup('create', box.path('backup'), '--config', box.config)).toMatchObject({ code: 0 });
    expect(existsSync(box.path('backup.unfinished'))).toBe(false);
    expect(await box.add('Somebody afterwards')).toMatch(/^cus_/);
  }, 120_000);

  test('while it creates, the daemon: the command fails without a backup, and makes one of the stopped box', async () => {
    await box.enrol([1]);
    const daemon = await box.start();
    await box.add('Somebody in the log');
    const vault = await findVault(daemon.pid, 'hall');
    process.kill(vault, 'SIGSTOP');
    const creating = backup('create', box.path('backup'), '--config', box.config, '--json');
    await expect.poll(() => existsSync(box.path('backup.unfinished', 'hall')), { timeout: 60_000 }).toBe(true);
    daemon.kill('SIGKILL');
    process.kill(vault, 'SIGCONT');
    const { code, stderr } = await creating;
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'box_unreachable', details: { tenant: 'hall' } } });
    expect((await readdir(box.folder)).filter((name) => name.startsWith('backup'))).toEqual([]);
    expect(await backup('create', box.path('backup'), '--config', box.config)).toMatchObject({ code: 0 });
    const verified = await backup('verify', box.path('backup'), '--config', box.config, '--json');
    expect(JSON.parse(verified.stdout)).toMatchObject({ tenants: [{ customers: 2 }] });
  }, 120_000);

  test('while it restores: there is no data folder, and the next restore makes it', async () => {
    await box.enrol([1, 2]);
    const daemon = await box.start();
    expect(await backup('create', box.path('backup'), '--config', box.config)).toMatchObject({ code: 0 });
    daemon.kill('SIGTERM');
    await daemon.exit;
    await rm(box.path('data'), { recursive: true });
    for (const begun of ['appliance.db', 'tenants/hall/vault.db', 'tenants/hall/keyring/keys.db', 'tenants/hall.lock']) {
      await killed(box.path('data.unfinished', begun), 'restore', box.path('backup'), '--config', box.config);
      expect(existsSync(box.path('data'))).toBe(false);
    }
    expect(await backup('restore', box.path('backup'), '--config', box.config)).toMatchObject({ code: 0 });
    await box.start();
    expect(await box.customers()).toHaveLength(2);
  }, 120_000);
});

describe('a backup', () => {
  let daemon: DaemonProcess;
  beforeEach(async () => {
    await box.enrol([1, 2]);
    daemon = await box.start();
    await expect.poll(() => box.health(), { timeout: 30_000 }).toMatchObject(UP_TO_DATE);
    expect(await backup('create', box.path('backup'), '--config', box.config)).toMatchObject({ code: 0 });
  });

  async function refused(...args: string[]): Promise<unknown> {
    const { code, stdout, stderr } = await backup(...args, '--config', box.config, '--json');
    expect([code, stdout]).toEqual([1, '']);
    return (JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as { error: unknown }).error;
  }

  test('is not written over, and not restored over data', async () => {
    const manifest = await readFile(box.path('backup', 'manifest.json'));
    expect(await refused('create', box.path('backup'))).toMatchObject({ code: 'conflict' });
    expect(await refused('create', box.path('nowhere', 'backup'))).toMatchObject({ code: 'storage_failed' });
    expect(await readFile(box.path('backup', 'manifest.json'))).toEqual(manifest);
    expect(await refused('restore', box.path('backup'))).toMatchObject({ code: 'conflict' });
    expect(await box.customers()).toHaveLength(2);
  }, 120_000);

  test('with one changed bit is told, by its sum and by itself', async () => {
    const file = box.path('backup', 'hall', 'vault.db');
    const bytes = await readFile(file);
    const at = bytes.length - 5000;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await writeFile(file, bytes);
    expect(await refused('verify', box.path('backup'))).toMatchObject({ code: 'backup_damaged', details: { damaged: [file] } });
    const manifest = await readFile(box.path('backup', 'manifest.json'), 'utf8');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await writeFile(box.path('backup', 'manifest.json'), manifest.replace(/"sha256": "\w+"/, `"sha256": "${sha256}"`));
    expect(await refused('verify', box.path('backup'))).toMatchObject({ code: 'vault_corrupt' });
    expect(existsSync(box.path('data.rehearsal'))).toBe(false);
  }, 120_000);

  test('opens on another machine that has keys and replica, and on none without', async () => {
    const elsewhere = box.path('elsewhere');
    for (const name of ['backup', 'replica', 'keys']) await cp(box.path(name), join(elsewhere, name), { recursive: true });
    await cp(box.config, join(elsewhere, 'box.json'));
    const there = ['--config', join(elsewhere, 'box.json'), '--json'];
    const verified = await backup('verify', join(elsewhere, 'backup'), ...there);
    expect(JSON.parse(verified.stdout)).toMatchObject({ tenants: [{ tenant: 'hall', customers: 2, opened: 10, erased: 0, damaged: 0 }] });
    expect((await readdir(elsewhere)).toSorted()).toEqual(['backup', 'box.json', 'keys', 'replica']);
    await rm(join(elsewhere, 'keys', 'hall.key'));
    expect((await backup('verify', join(elsewhere, 'backup'), ...there)).stderr).toContain('key_file_missing');
    const nothing = await backup('verify', join(elsewhere, 'backup'), ...there, '--keyring', join(elsewhere, 'keys'));
    expect(nothing.stderr).toContain('keyring_missing');
  }, 120_000);

  test('is made, and somebody erased, while the replica has no disk: /readyz tells until it has caught up', async () => {
    await rename(box.path('replica'), box.path('unplugged'));
    const [guest = ''] = await box.customers();
    await box.erase(guest);
    expect(await box.health()).toMatchObject({
      ready: false,
      parts: expect.arrayContaining([{ part: 'keyring replica', ready: false, reason: 'replica_behind' }]),
    });
    expect(await backup('create', box.path('second'), '--config', box.config)).toMatchObject({ code: 0 });
    await rename(box.path('unplugged'), box.path('replica'));
    await expect.poll(() => box.health(), { timeout: 60_000 }).toMatchObject(UP_TO_DATE);
    const verified = await backup('verify', box.path('backup'), '--config', box.config, '--json');
    expect(JSON.parse(verified.stdout)).toMatchObject({ tenants: [{ customers: 1, erased: 1 }] });
  }, 120_000);

  test('is not opened with an older replica than the newest that is known', async () => {
    await cp(box.path('replica'), box.path('old'), { recursive: true });
    const [guest = ''] = await box.customers();
    await box.erase(guest);
    daemon.kill('SIGKILL');
    await daemon.exit;
    await rename(box.path('data'), box.path('lost'));
    expect(await refused('restore', box.path('backup'), '--keyring', box.path('old'))).toMatchObject({
      code: 'keyring_outdated',
      details: { tenant: 'hall' },
    });
    expect(existsSync(box.path('data'))).toBe(false);
    expect(await backup('restore', box.path('backup'), '--config', box.config)).toMatchObject({ code: 0 });
  }, 120_000);
});
