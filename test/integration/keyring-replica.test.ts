import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { KeyringReplica } from '../../edge/backup/keyring-replica.ts';
import { readKeyringVersion } from '../../edge/backup/keyring-version.ts';
import type { VaultClient } from '../../edge/vault/client.ts';
import { isMissing } from '../../shared/errors/is-missing.ts';
import { asInsider } from '../helpers/as-insider.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { type TestBox, testBox, testClient } from '../helpers/vault.ts';
import { guest } from '../helpers/vault-guests.ts';

let box: TestBox;
let vault: VaultClient;
let replica: KeyringReplica;
let replicaDir: string;

beforeEach(async () => {
  box = await testBox();
  replicaDir = join(box.dataDir, '..', 'replica');
  await mkdir(replicaDir);
  vault = testClient(box);
  replica = new KeyringReplica({
    vault,
    box: box.box,
    tenant: 'hall',
    dataDir: box.dataDir,
    replicaDir,
    keyDir: box.keyDir,
    logger: testLogger(),
  });
  onTestFinished(() => replica.stop());
  vault.onKeyringChange(async (lost) => (lost ? replica.follow() : replica.followSoon()));
  await vault.start();
});

async function enrol(seed: number): Promise<string> {
  return (await vault.enrolCustomer(guest(seed))).customerId;
}

/** Whose keys somebody finds in each version that lies in the replica at this moment, in the order of their ids. */
async function keysInReplica(): Promise<string[][]> {
  const copy = join(box.dataDir, '..', randomUUID());
  try {
    await cp(join(replicaDir, box.box, 'hall'), copy, { recursive: true });
  } catch (error) {
    // A newer version took its place meanwhile.
    if (isMissing(error)) return keysInReplica();
    throw error;
  }
  const versions = (await readdir(copy)).filter((name) => name !== 'unfinished');
  return Promise.all(
    versions.map(async (version) => {
      const dataDir = join(copy, `data-${version}`);
      await cp(join(copy, version), join(dataDir, 'tenants', 'hall', 'keyring'), { recursive: true });
      return asInsider({ ...box, dataDir }, 'file-keys', (database) =>
        database.prepare<[], string>('SELECT customer_id FROM customer_keys ORDER BY customer_id').pluck().all(),
      );
    }),
  );
}

test.each([
  ['is gone', async (replica: string) => rm(replica, { recursive: true })],
  [
    'is an older one that was put back',
    async (replica: string, older: string) => {
      await rm(replica, { recursive: true });
      await cp(older, replica, { recursive: true });
    },
  ],
])('a replica that %s is made anew when it is looked at, with nobody who was erased', async (_what, harm) => {
  const [erased = '', kept = ''] = [await enrol(1), await enrol(2)];
  await replica.follow();
  const folder = join(replicaDir, box.box, 'hall');
  const older = join(box.dataDir, '..', 'older');
  await cp(folder, older, { recursive: true });
  await vault.removeCustomer(erased);
  const [version] = await readdir(folder);
  await replica.look();
  expect(await readdir(folder), 'nothing to do').toEqual([version]);
  await harm(folder, older);
  await replica.look();
  expect(await keysInReplica()).toEqual([[kept]]);
});

test('an erase is answered when no version in the replica has the key any more, also while others are enrolled', async () => {
  const [kept = '', ...others] = [await enrol(1), await enrol(2), await enrol(3), await enrol(4)];
  let working = true;
  const load = (async () => {
    for (let seed = 10; working; seed += 1) await enrol(seed);
  })();
  for (const customerId of others) {
    await vault.removeCustomer(customerId);
    const versions = await keysInReplica();
    expect(versions.length).toBeGreaterThan(0);
    for (const keys of versions) {
      expect(keys).not.toContain(customerId);
      expect(keys).toContain(kept);
    }
  }
  working = false;
  await load;
  expect(replica.behind).toBe(false);
}, 60_000);

test('follows whoever is enrolled, keeps one version alone, and remembers its number in the key folder', async () => {
  const guests = [await enrol(1), await enrol(2), await enrol(3)];
  await expect.poll(keysInReplica, { timeout: 30_000 }).toEqual([guests.toSorted()]);
  await replica.follow();
  expect(await readdir(join(replicaDir, box.box, 'hall'))).toEqual([
    String(await readKeyringVersion(box.keyDir, 'hall')).padStart(12, '0'),
  ]);
}, 60_000);

test('many who are enrolled go in few copies, also at a stop; a backup of their data has their keys in the replica', async () => {
  const first = await Promise.all(Array.from({ length: 20 }, (_, seed) => enrol(seed)));
  const data = new PassThrough();
  const copied = vault.copyData(data);
  await buffer(data);
  expect(await keysInReplica()).toEqual([first.toSorted()]);
  await copied;
  const second = await Promise.all(Array.from({ length: 20 }, (_, seed) => enrol(100 + seed)));
  await replica.stop();
  expect(await keysInReplica()).toEqual([[...first, ...second].toSorted()]);
  expect(await readKeyringVersion(box.keyDir, 'hall')).toBeLessThan(8);
}, 60_000);

test('without its disk an erase is done and answered, the replica is behind, and catches up when the disk is back', async () => {
  const [anna, berta] = [await enrol(1), await enrol(2)];
  await expect.poll(keysInReplica, { timeout: 30_000 }).toEqual([[anna, berta].toSorted()]);
  const away = `${replicaDir}-away`;
  await rename(replicaDir, away);
  await vault.removeCustomer(anna);
  expect(replica.behind).toBe(true);
  expect((await vault.listCustomers({ limit: 10 })).items.map(({ customerId }) => customerId)).toEqual([berta]);
  expect(existsSync(replicaDir), 'the place of a missing disk is not filled').toBe(false);
  await rename(away, replicaDir);
  await expect.poll(() => replica.behind, { timeout: 60_000 }).toBe(false);
  expect(await keysInReplica()).toEqual([[berta]]);
}, 120_000);

test('what a killed daemon left half copied is no version, and goes', async () => {
  const half = join(replicaDir, box.box, 'hall', 'unfinished');
  await mkdir(half, { recursive: true });
  await writeFile(join(half, 'keys.db'), 'half');
  const anna = await enrol(1);
  await vault.removeCustomer(anna);
  expect(await keysInReplica()).toEqual([[]]);
  expect(existsSync(half)).toBe(false);
});

test('a copy during which somebody is enrolled is whole; one during which somebody is erased is refused', async () => {
  const club = testClient(box, 'club');
  await club.start();
  const admit = async (seed: number): Promise<string> => (await club.enrolCustomer(guest(seed))).customerId;
  await club.whileHeld('data', async ({ vaultDb }) => {
    const before = await readFile(vaultDb);
    await admit(1);
    expect((await readFile(vaultDb)).equals(before)).toBe(true);
  });
  for (const file of ['data', 'keyring'] as const) {
    const customerId = await admit(2);
    await expect(club.whileHeld(file, () => club.removeCustomer(customerId))).rejects.toMatchObject({ code: 'copy_outdated' });
    await expect(club.whileHeld(file, async () => 'again')).resolves.toBe('again');
  }
  expect((await club.listCustomers({ limit: 10 })).items).toHaveLength(1);
}, 60_000);
