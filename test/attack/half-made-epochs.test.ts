import { describe, expect, test } from 'vitest';
import { kmsConfigSchema } from '../../cloud/kms/config/schema.ts';
import type { Hsm } from '../../cloud/kms/hsm/hsm.ts';
import { openHsm } from '../../cloud/kms/hsm/open-hsm.ts';
import { readConfig } from '../../shared/config/read-config.ts';
import type { TestKms } from '../helpers/kms.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
const HALL = { org: 'acme', tenant: 'hall' };
const NEXT = { ...HALL, epoch: 2 };
const UNFINISHED = [
  { epoch: 1, state: 'ready', leftFrom: null, destroyedAt: null },
  { epoch: 2, state: 'making', leftFrom: null, destroyedAt: null },
];

/** The HSM of a KMS, reached from here. */
async function withHsm<T>(kms: TestKms, work: (hsm: Hsm) => Promise<T>): Promise<T> {
  const hsm = await openHsm(readConfig(kms.configFile, kmsConfigSchema).hsm);
  await hsm.start();
  try {
    return await work(hsm);
  } finally {
    await hsm.stop();
  }
}

/** Kills the KMS in the midst of making an epoch, and leaves it off. */
async function cutShort({ kms }: TestOrg, after: 'begun' | 'made'): Promise<void> {
  await kms.stop();
  await kms.start('--import', new URL(`../fixtures/cut-epoch-short.ts?after=${after}`, import.meta.url).href);
  await expect(kms.client.call('createEpoch', NEXT)).rejects.toThrow(refused('kms_unavailable'));
  await kms.stop();
}

describe.each([
  { name: 'SoftHSM2', driver: 'softhsm', there: hasSoftHsm },
  { name: 'the software keystore', driver: 'software', there: true },
] as const)('an epoch on $name over whose making the KMS was killed (skipped where it cannot be had)', ({ driver, there }) => {
  const check = test.skipIf(!there);

  check.each(['begun', 'made'] as const)(
    'when it was %s is told as unfinished, has no cell, and is made when it is asked for again',
    async (after) => {
      const org = await testOrg(driver);
      const { client } = org.kms;
      const device = await org.enrolled();
      await cutShort(org, after);
      expect(await withHsm(org.kms, (hsm) => hsm.hasCell(NEXT)), 'the kill came between the two').toBe(after === 'made');
      await org.kms.start();
      expect(await client.call('listEpochs', HALL)).toEqual(UNFINISHED);
      await expect(device.fetchTek(client, 'acme', 'hall', 2)).rejects.toThrow(refused('epoch_not_found'));
      await client.call('createEpoch', NEXT);
      expect(await device.fetchTek(client, 'acme', 'hall', 2)).toHaveLength(32);
      expect((await client.call('getMove', { ...NEXT, epoch: 1 })).boxes).toEqual([{ device: device.id, state: 'waiting' }]);
    },
  );

  check('is not in the way when its cell comes to be later, as in an HSM that finishes what the KMS has given up', async () => {
    const org = await testOrg(driver);
    await cutShort(org, 'begun');
    // The software keystore is the KMS's alone: there it can come while the KMS is off, and no later.
    if (driver === 'softhsm') await org.kms.start();
    await withHsm(org.kms, (hsm) => hsm.createCell(NEXT));
    if (driver === 'software') await org.kms.start();
    await org.kms.client.call('createEpoch', NEXT);
    const device = await org.enrolled();
    expect(await device.fetchTek(org.kms.client, 'acme', 'hall', 2)).toHaveLength(32);
  });

  check('keeps its cell when records of before it was finished are put back, and accepted', async () => {
    const org = await testOrg(driver);
    const { client } = org.kms;
    const device = await org.enrolled();
    await cutShort(org, 'made');
    await org.kms.start();
    const putBackOld = await org.kms.copyRecords();
    await client.call('createEpoch', NEXT);
    const key = await device.fetchTek(client, 'acme', 'hall', 2);
    await client.call('denyDevice', { device: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa' });
    const putBackNew = await org.kms.copyRecords();
    await putBackOld();
    await org.acceptRecords();
    await org.kms.start();
    await expect(client.call('createEpoch', NEXT)).rejects.toThrow(refused('conflict'));
    await putBackNew();
    await org.acceptRecords();
    await org.kms.start();
    expect(await device.fetchTek(client, 'acme', 'hall', 2)).toEqual(key);
  });
});
