import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../shared/ids/ids.ts';
import { killDuring } from '../helpers/kill-during.ts';
import { adminSet, signApproval, signSet, TestDevice, TestSigner } from '../helpers/kms.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
const HALL = { org: 'acme', tenant: 'hall' };
const SHRED = '01KAMV8Z0000000000000000AA';

describe.skipIf(!hasSoftHsm)('records of the KMS on SoftHSM2 (skipped where it is not installed)', () => {
  let org: TestOrg;
  let device: TestDevice;
  beforeEach(async () => {
    org = await testOrg();
    device = await org.enrolled();
  });

  const answer = async (): Promise<unknown> => {
    const { token } = await device.offlineRequest('acme', 'hall', 1);
    return await org.kms.client.call('exportTek', { request: token, approval: await signApproval(org.admin, 'acme', token) });
  };

  /** Changes of which each would be undone by an older copy, to somebody's advantage. */
  const CHANGES: Readonly<Record<string, () => Promise<unknown>>> = {
    'a device was denied': () => org.kms.client.call('denyDevice', { device: device.id }),
    'an assignment ended': () => org.kms.client.call('endAssignment', { ...HALL, device: device.id }),
    'an assignment was replaced': () => org.assign(device),
    'an admin was pinned no more': async () => {
      const set = adminSet('acme', 2, [new TestSigner()], org.safe);
      return await org.kms.client.call('pinAdmins', { org: 'acme', signed: await signSet(set, [org.admin]) });
    },
    'an approval was used': answer,
    'a tenant was frozen': () => org.kms.client.call('freezeTenant', { ...HALL, id: SHRED }),
    'a tenant was destroyed': () => org.kms.client.call('destroyTenant', HALL),
    'an epoch was made': async () => {
      await org.kms.client.call('createEpoch', { ...HALL, epoch: 2 });
      return await org.kms.client.call('createEpoch', { ...HALL, epoch: 3 });
    },
    'a box had moved to a new epoch': async () => {
      await org.kms.client.call('createEpoch', { ...HALL, epoch: 2 });
      return await org.kms.client.call('acknowledgeMove', { token: await device.movedTo('acme', 'hall', 2) });
    },
  };

  test.each(Object.keys(CHANGES))('of before %s are refused', async (what) => {
    const putBack = await org.kms.copyRecords();
    await CHANGES[what]?.();
    await putBack();
    await expect(org.kms.start()).rejects.toThrow('records_rolled_back');
  });

  test('that are gone altogether are refused', async () => {
    await org.kms.stop();
    await rm(org.kms.dataDir, { recursive: true });
    await expect(org.kms.start()).rejects.toThrow('records_rolled_back');
  });

  test('of an older copy are taken when the security officer accepts just these, and once', async () => {
    const putBack = await org.kms.copyRecords();
    await org.kms.client.call('denyDevice', { device: device.id });
    await putBack();
    await org.kms.officer({ do: 'accept-records', records: 1, counted: 1 });
    await expect(org.kms.start()).rejects.toThrow('records_rolled_back');
    await org.acceptRecords();
    await org.kms.start();
    expect(org.kms.log).toContain('as its security officer ordered');
    expect(await org.kms.audit()).toContainEqual(expect.objectContaining({ operation: 'acceptRecords', outcome: 'done' }));
    await device.fetchTek(org.kms.client, 'acme', 'hall', 1);
    await putBack();
    await expect(org.kms.start()).rejects.toThrow('records_rolled_back');
  });

  test('that are newer than the HSM are refused: its own old copy would bring destroyed keys back', async () => {
    const tokens = join(org.kms.token?.folder ?? '', 'tokens');
    await org.kms.stop();
    const copy = await tempFolder();
    await cp(tokens, copy, { recursive: true });
    await org.kms.start();
    for (const _ of [1, 2]) await org.kms.client.call('denyDevice', { device: device.id });
    await org.kms.stop();
    await rm(tokens, { recursive: true });
    await cp(copy, tokens, { recursive: true });
    await expect(org.kms.start()).rejects.toThrow('records_rolled_back');
  });

  test('that a crash left one change ahead of the HSM are put right; two are refused', async () => {
    const ahead = async (by: number): Promise<void> => {
      await org.kms.stop();
      const database = new Database(join(org.kms.dataDir, 'kms.db'));
      database.prepare('UPDATE records_version SET version = version + ?').run(by);
      database.close();
    };
    await ahead(1);
    await org.kms.start();
    await ahead(1);
    await org.kms.start();
    await ahead(2);
    await expect(org.kms.start()).rejects.toThrow('records_rolled_back');
  });

  test('stand before a change is answered: where the HSM cannot count it, it is asked for again', async () => {
    const tokens = join(org.kms.token?.folder ?? '', 'tokens');
    const copy = await tempFolder();
    await cp(tokens, copy, { recursive: true });
    await rm(tokens, { recursive: true });
    await expect(org.kms.client.call('denyDevice', { device: device.id })).rejects.toThrow(refused('hsm_unavailable'));
    await expect(org.kms.client.call('denyDevice', { device: new TestDevice().id })).rejects.toThrow(refused('hsm_unavailable'));
    await cp(copy, tokens, { recursive: true });
    await org.kms.client.call('denyDevice', { device: device.id });
    await org.kms.stop();
    await org.kms.start();
    await expect(device.fetchTek(org.kms.client, 'acme', 'hall', 1)).rejects.toThrow(refused('device_denied'));
  });

  test('survive kill -9 at any moment: the KMS starts, and every change that was answered stands', async () => {
    const { client } = org.kms;
    for (const at of [0, 0.2, 0.4, 0.5, 0.6, 0.8]) {
      const denied: string[] = [];
      const deny = async (): Promise<void> => {
        const id = newId('box');
        await client.call('denyDevice', { device: id });
        denied.push(id);
      };
      await killDuring(org.kms, deny, at);
      for (const id of denied) {
        const { token } = await Object.assign(device, { id }).request(client, 'acme', 'hall', 1);
        await expect(client.call('exportTek', { request: token })).rejects.toThrow(refused('device_denied'));
      }
    }
  }, 120_000);
});
