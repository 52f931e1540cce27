import { cp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { attack } from '../../../../provisioning/drills/shred/attack/attack.ts';
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
