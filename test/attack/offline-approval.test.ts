import { beforeEach, describe, expect, test } from 'vitest';
import type { LeaseAnswer } from '../../shared/lease/lease-answer.ts';
import { MOST_APPROVAL_SECONDS } from '../../shared/lease/offline-approval.ts';
import { adminSet, signApproval, signAssignment, signSet, type TestDevice, TestSigner } from '../helpers/kms.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
const HALL = { org: 'acme', tenant: 'hall' };

describe.skipIf(!hasSoftHsm)('an offline approval at the KMS on SoftHSM2 (skipped where it is not installed)', () => {
  let org: TestOrg;
  let device: TestDevice;
  /** The device's request, which answers no challenge. */
  let request: Awaited<ReturnType<TestDevice['offlineRequest']>>;
  beforeEach(async () => {
    org = await testOrg();
    device = await org.enrolled();
    request = await device.offlineRequest('acme', 'hall', 1);
  });

  const send = (approval: string | undefined, token = request.token): Promise<LeaseAnswer> =>
    org.kms.client.call('exportTek', { request: token, approval });
  const approved = (change: object = {}, signer = org.admin): Promise<string> => signApproval(signer, 'acme', request.token, change);

  test('has its request answered as a challenge would, and the audit names it', async () => {
    const fetched = await device.fetchTek(org.kms.client, 'acme', 'hall', 1);
    const approval = await approved({ jti: 'stick-of-wednesday' });
    expect(await device.openTek(request, await send(approval))).toEqual(fetched);
    const [answered] = (await org.kms.audit()).filter(({ approvalId }) => approvalId !== undefined);
    expect(answered).toMatchObject({ ...HALL, device: device.id, epoch: 1, approvalId: 'stick-of-wednesday', outcome: 'done' });
  });

  test('is what the request needs: without one it answers no challenge', async () => {
    await expect(send(undefined)).rejects.toThrow(refused('export_rejected'));
  });

  test('counts once, also after a restart', async () => {
    const approval = await approved();
    await send(approval);
    await expect(send(approval)).rejects.toThrow(refused('approval_used'));
    await org.kms.stop();
    await org.kms.start();
    await expect(send(approval)).rejects.toThrow(refused('approval_used'));
  });

  test('counts once when it comes many times at once', async () => {
    const approval = await approved();
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => send(approval)));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('counts for this very request alone', async () => {
    const other = await device.offlineRequest('acme', 'hall', 1);
    await expect(send(await approved(), other.token)).rejects.toThrow(refused('approval_rejected'));
  });

  test('that is forged, of another kind, or signed by anybody but an admin of this org is refused', async () => {
    const [header, , signature] = (await approved()).split('.');
    const claims = Buffer.from(JSON.stringify({ request: 'x' })).toString('base64url');
    for (const forged of [
      `${header}.${claims}.${signature}`,
      'x',
      '',
      await signAssignment(org.admin, await device.claims('acme', 'hall')),
    ]) {
      await expect(send(forged), forged).rejects.toThrow(refused('approval_rejected'));
    }
    const theirs = new TestSigner();
    const set = adminSet('rival', 1, [theirs], org.safe);
    await org.kms.client.call('pinAdmins', { org: 'rival', signed: await signSet(set, [theirs]) });
    for (const signer of [theirs, org.safe[0] as TestSigner, device.signer]) {
      await expect(send(await approved({}, signer))).rejects.toThrow(refused('approval_rejected'));
    }
    await expect(send(await approved({ org: 'rival' }))).rejects.toThrow(refused('approval_rejected'));
    await expect(send(await approved({ more: 1 }))).rejects.toThrow(refused('approval_rejected'));
    await send(await approved());
  });

  test('ends with its time, which is seven days at most, and with its admin', async () => {
    const now = Math.floor(Date.now() / 1000);
    await expect(send(await approved({ iat: now - 7200, exp: now - 1 }))).rejects.toThrow(refused('approval_rejected'));
    await expect(send(await approved({ iat: now, exp: now + MOST_APPROVAL_SECONDS + 1 }))).rejects.toThrow(refused('approval_rejected'));
    await expect(send(await approved({ exp: undefined }))).rejects.toThrow(refused('approval_rejected'));
    const approval = await approved();
    const heir = new TestSigner();
    await org.kms.client.call('pinAdmins', { org: 'acme', signed: await signSet(adminSet('acme', 2, [heir], org.safe), [org.admin]) });
    await expect(send(approval)).rejects.toThrow(refused('approval_rejected'));
  });

  test('replaces the challenge alone: a device that is denied or not assigned gets nothing by it', async () => {
    await org.kms.client.call('endAssignment', { ...HALL, device: device.id });
    await expect(send(await approved())).rejects.toThrow(refused('assignment_rejected'));
    await org.kms.client.call('denyDevice', { device: device.id });
    await expect(send(await approved())).rejects.toThrow(refused('device_denied'));
  });
});
