import { describe, expect, onTestFinished, test } from 'vitest';
import type { TestDevice } from '../helpers/kms.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';

const HALL = { org: 'acme', tenant: 'hall' };
const [FIRST, SECOND] = ['01KAMV8Z0000000000000000AA', '01KAMV8Z0000000000000000AB'];
const DAY_MS = 86_400_000;
const refused = (code: string): unknown => expect.objectContaining({ code });

async function place(driver: 'softhsm' | 'software'): Promise<{ org: TestOrg; device: TestDevice; lease: () => Promise<unknown> }> {
  const org = await testOrg(driver);
  onTestFinished(() => org.kms.stop());
  const device = await org.enrolled();
  return { org, device, lease: () => device.fetchTek(org.kms.client, 'acme', 'hall', 1) };
}

describe.each(['software', ...(hasSoftHsm ? (['softhsm'] as const) : [])] as const)('a frozen tenant, %s', (driver) => {
  test('gets no key, no epoch and no box, also after a restart, until every freeze has ended; the others go on', async () => {
    const { org, device, lease } = await place(driver);
    const { client } = org.kms;
    await client.call('createEpoch', { org: 'acme', tenant: 'club', epoch: 1 });
    await lease();
    const { begunAt } = await client.call('freezeTenant', { ...HALL, id: FIRST });
    expect(await client.call('freezeTenant', { ...HALL, id: FIRST })).toEqual({ begunAt });
    await client.call('freezeTenant', { ...HALL, id: SECOND });
    await org.kms.stop('SIGKILL');
    await org.kms.start();
    for (const attempt of [lease, () => client.call('createEpoch', { ...HALL, epoch: 2 }), () => org.assign(device)]) {
      await expect(attempt()).rejects.toEqual(refused('tenant_frozen'));
    }
    await client.call('createEpoch', { org: 'acme', tenant: 'club', epoch: 2 });
    await client.call('endFreeze', { ...HALL, id: FIRST });
    await expect(lease()).rejects.toEqual(refused('tenant_frozen'));
    await client.call('endFreeze', { ...HALL, id: SECOND });
    await lease();
  });

  test('is not frozen by an order that was ended before it came', async () => {
    const { org, lease } = await place(driver);
    await org.kms.client.call('endFreeze', { ...HALL, id: FIRST });
    await expect(org.kms.client.call('freezeTenant', { ...HALL, id: FIRST })).rejects.toEqual(refused('conflict'));
    await lease();
  });

  test('has as holders all boxes that were ever assigned, with the end of the longest lease and the weakest enforcement', async () => {
    const { org, device } = await place(driver);
    const { client } = org.kms;
    const other = await org.enrolled({ lease: { seconds: 3600, enforcement: 'software' } });
    await org.assign(other, { lease: { seconds: 60, enforcement: 'tpm' } });
    await client.call('endAssignment', { ...HALL, device: other.id });
    const endedAt = Date.now();
    const before = endedAt + 10 * DAY_MS;
    const holders = await client.call('listHolders', { ...HALL, before });
    expect(holders.map(({ device: id }) => id).toSorted()).toEqual([device.id, other.id].toSorted());
    const byId = new Map(holders.map((holder) => [holder.device, holder]));
    // The assignment itself ends before a lease could that was given at the end of its time.
    expect(byId.get(device.id)).toMatchObject({ enforcement: 'memory' });
    expect(byId.get(device.id)?.leaseEndsAt).toBeLessThanOrEqual(before + DAY_MS);
    expect(byId.get(other.id)).toMatchObject({ enforcement: 'software' });
    expect(byId.get(other.id)?.leaseEndsAt).toBeLessThanOrEqual(endedAt + 3600_000);
    expect(byId.get(other.id)?.leaseEndsAt).toBeGreaterThan(endedAt + 3500_000);
    await client.call('destroyTenant', HALL);
    expect(await client.call('listHolders', { ...HALL, before })).toEqual(holders);
  });
});
