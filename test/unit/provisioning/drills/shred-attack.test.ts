import { randomBytes } from 'node:crypto';
import { cp, mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { Tpm } from '../../../../edge/runtime/tpm/tpm.ts';
import { TpmLeaseCache } from '../../../../edge/vault/keys/lease/tpm-lease-cache.ts';
import { attack, type Loot } from '../../../../provisioning/drills/shred/attack/attack.ts';
import { hasSoftTpm, type SoftTpm, softTpm } from '../../../helpers/soft-tpm.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { type TestBox, testBox, testVault } from '../../../helpers/vault.ts';
import { guest, pictureOf, sightingOf } from '../../../helpers/vault-guests.ts';

let box: TestBox;
let customers: string[];

beforeEach(async () => {
  box = await testBox();
  const vault = testVault(box);
  await vault.start();
  const { faces, ...person } = guest(1);
  const one = vault.customers.enrol({ ...person, faces: faces.map((face) => ({ ...face, picture: pictureOf(1) })) });
  const two = vault.customers.enrol(guest(2));
  customers = [one.customerId, two.customerId];
  vault.sightings.record(sightingOf(one.customerId));
  vault.records.add({ kind: 'attendees', json: '{"seat":7}', customerId: one.customerId });
  vault.stop();
});

test('reads names and faces of all, from folders with their keys', async () => {
  const { tenants, databasesClosed, envelopes, opened } = await attack({ folders: [box.dataDir, box.keyDir] });
  expect(tenants).toEqual([
    {
      ...{ org: 'acme', tenant: 'hall', keys: 262, databases: 2 },
      customers: expect.arrayContaining([
        { id: customers[0], name: 'Guest Number 1', faces: 1, others: 4 },
        { id: customers[1], name: 'Guest Number 2', faces: 1, others: 1 },
      ]),
    },
  ]);
  expect({ databasesClosed, opened }).toEqual({ databasesClosed: 0, opened: envelopes });
});

test('reads nothing where no key opens anything, and says how much stayed shut', async () => {
  await rm(`${box.keyDir}/hall.key`);
  expect(await attack({ folders: [box.dataDir, box.keyDir] })).toMatchObject({
    opened: 0,
    envelopes: 262,
    databasesClosed: 2,
    tenants: [],
  });
});

describe.skipIf(!hasSoftTpm)('a lease that a TPM keeps', () => {
  let tpm: SoftTpm;
  let folder: string;
  let cache: TpmLeaseCache;
  const tek = randomBytes(32);
  const ask = async (copies: string): Promise<Loot> => {
    const all = await tempFolder();
    for (const [index, one] of [box.dataDir, copies].entries()) await cp(one, join(all, String(index)), { recursive: true });
    return await attack({ folders: [all], tcti: tpm.tcti });
  };

  beforeEach(async () => {
    tpm = await softTpm();
    folder = join(await tempFolder(), 'leases');
    await mkdir(folder);
    const time = { now: Date.now, believe: async () => undefined, persist: async () => undefined };
    cache = new TpmLeaseCache({ org: 'acme', tenant: 'hall', device: box.box, folder, tpm: new Tpm(tpm.tcti), time });
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const token = `e30.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.c2ln`;
    await cache.save(1, { token, tek: Buffer.from(tek) });
  });

  test('opens by the living TPM, from a copy as well', async () => {
    const copy = await tempFolder();
    await cp(folder, copy, { recursive: true });
    expect(await ask(copy)).toMatchObject({ sealedByTpm: 1, tpm: { opened: 1 }, tenantKeys: 1 });
    expect(await attack({ folders: [copy] })).toMatchObject({ sealedByTpm: 1, tpm: null, tenantKeys: 0 });
  });

  test('opens by nothing once the box has forgotten it: its counter is gone, whatever the time', async () => {
    const copy = await tempFolder();
    await cp(folder, copy, { recursive: true });
    await cache.forget();
    expect(await ask(copy)).toMatchObject({ sealedByTpm: 1, tpm: { opened: 0, refused: { counter: 1, clock: 0 } }, tenantKeys: 0 });
    // Nor when the tenant is kept again.
    await cache.save(2, { token: `e30.${Buffer.from('{"exp":4102444800}').toString('base64url')}.c2ln`, tek: randomBytes(32) });
    expect(await ask(copy)).toMatchObject({ tpm: { opened: 0, refused: { counter: 1 } } });
  });

  test('opens by no other TPM', async () => {
    tpm = await softTpm();
    expect(await ask(folder)).toMatchObject({ sealedByTpm: 1, tpm: { opened: 0, refused: { load: 1 } }, tenantKeys: 0 });
  });
});

test('reads who was erased from a copy of before, until the tenant has another key', async () => {
  const before = await tempFolder();
  await cp(box.dataDir, before, { recursive: true });
  const vault = testVault(box);
  await vault.start();
  await vault.customers.erase([customers[0] ?? '']);
  const read = async (): Promise<string[]> => {
    const copies = await tempFolder();
    for (const folder of [before, box.dataDir, box.keyDir]) await cp(folder, join(copies, basename(folder)), { recursive: true });
    return (await attack({ folders: [copies] })).tenants.flatMap((tenant) => tenant.customers.map(({ id }) => id)).toSorted();
  };
  expect(await read()).toEqual(customers.toSorted());
  await vault.moveEpoch({});
  vault.stop();
  expect(await read()).toEqual([customers[1]]);
});
