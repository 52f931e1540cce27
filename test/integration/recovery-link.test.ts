import { expect, test } from 'vitest';
import { askRecoveries } from '../../edge/link/enrolment/ask-recoveries.ts';
import { followRecoveries } from '../../edge/link/enrolment/follow-recoveries.ts';
import type { Recovery } from '../../shared/lease/recovery.ts';
import { ConnectedBox } from '../helpers/connected-box.ts';
import { TestBox, TestFleet } from '../helpers/fleet.ts';
import { adminSet, signSet, TestSigner } from '../helpers/kms.ts';
import { TestOrg } from '../helpers/kms-org.ts';
import { guest } from '../helpers/vault-guests.ts';

const PATIENTLY = { timeout: 60_000, interval: 50 };

/** A fleet with a box whose tenant is open, and its recovery keys, of which the box has not heard yet. */
async function openBox() {
  const fleet = await TestFleet.start({ broker: 'embedded', limits: { exportsPerDevice: 1000 } });
  const box = await fleet.enrolled();
  await fleet.trust(box);
  expect(await fleet.assign(box)).toMatchObject({ status: 201 });
  const connected = await ConnectedBox.start(box);
  await expect.poll(() => connected.tenants.get('hall').state, PATIENTLY).toBe('ready');
  await connected.tenants.vault('hall').enrolCustomer(guest(1));
  const org = new TestOrg(fleet.kms);
  const set = adminSet('acme', 2, [fleet.admin], org.safe);
  await fleet.kms.client.call('pinAdmins', { org: 'acme', signed: await signSet(set, [fleet.admin]) });
  return { fleet, org, box, connected };
}

/** The HSM is lost and another one set up, as far as the operator of the cloud and its security officer come. */
async function loseHsm(fleet: TestFleet, org: TestOrg, box: TestBox): Promise<Recovery> {
  await org.loseHsm();
  await fleet.trust(box);
  expect(await fleet.ask('GET', '/lost-keys')).toMatchObject({ body: { items: [{ tenant: 'hall', epoch: 1 }] } });
  expect(await fleet.ask('POST', '/recoveries', {}), 'no box would believe its authority').toMatchObject({ status: 409 });
  expect(await fleet.asOperator('POST', '/v1/authorities/replacements', {})).toMatchObject({ status: 201 });
  const { status, body } = await fleet.ask('POST', '/recoveries', {});
  expect(status).toBe(201);
  return body as unknown as Recovery;
}

async function send(fleet: TestFleet, org: TestOrg, recovery: Recovery): Promise<void> {
  const path = `/recoveries/${recovery.id}/signatures`;
  const tooFew = await org.signRecovery(recovery, [org.safe[0] as TestSigner, new TestSigner()]);
  expect(await fleet.ask('PUT', path, tooFew)).toMatchObject({ body: { code: 'recovery_rejected' } });
  expect(await fleet.ask('GET', '/recoveries')).toMatchObject({ body: { items: [] } });
  const signed = await org.signRecovery(recovery);
  expect(await fleet.ask('PUT', path, signed)).toMatchObject({ status: 204 });
  expect(await fleet.ask('PUT', path, signed), 'said again').toMatchObject({ status: 204 });
  const other = await org.signRecovery({ ...recovery, exp: recovery.exp - 1 });
  expect(await fleet.ask('PUT', path, other)).toMatchObject({ body: { code: 'conflict' } });
  expect(await fleet.ask('GET', '/recoveries')).toMatchObject({ body: { items: [signed] } });
}

/** The key is back without anybody at the box, which was never closed, and the box goes on by it. */
async function comesBack(fleet: TestFleet, { leases, tenants }: ConnectedBox): Promise<void> {
  const lost = async (): Promise<unknown> => (await fleet.ask('GET', '/lost-keys')).body.items;
  await expect.poll(lost, PATIENTLY).toEqual([]);
  expect(tenants.get('hall').state).toBe('ready');
  const before = (await leases.get('hall')).renewedAt;
  await expect.poll(() => leases.renew('hall').then(() => leases.get('hall')), PATIENTLY).toMatchObject({ failure: null });
  expect(Date.parse((await leases.get('hall')).renewedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(before ?? ''));
  const { items } = await tenants.vault('hall').listCustomers({ limit: 10 });
  expect(items).toHaveLength(1);
}

test('a box that is connected hears of the loss of an HSM by what the next one signs, believes the quorum, and hands its key over', async () => {
  const { fleet, org, box, connected } = await openBox();
  const recovery = await loseHsm(fleet, org, box);
  await send(fleet, org, recovery);
  const order = { kind: 'sync', body: {} };
  expect(await fleet.ask('POST', '/commands', { device: box.id, order })).toMatchObject({ status: 201 });
  await comesBack(fleet, connected);
  const { commandKeys, recoveries } = box.folder.read();
  expect(commandKeys[0]).toEqual(recovery.keys.commands);
  expect(recoveries).toHaveLength(1);
});

test('a box that has lost its link, and cannot know the control plane any more, asks there for what the quorum has signed', async () => {
  const { fleet, org, box, connected } = await openBox();
  const recovery = await loseHsm(fleet, org, box);
  // Connects anew, and finds an authority that it does not know.
  box.folder.write({ ...box.folder.read(), name: 'Back door' });
  await expect.poll(() => connected.link.state?.connected, PATIENTLY).toBe(false);
  await send(fleet, org, recovery);
  await expect.poll(() => connected.link.state?.connected, PATIENTLY).toBe(true);
  await comesBack(fleet, connected);
});

test('a box that enrols after the loss counts on the keys of its day, and not again on one that was changed before it came', async () => {
  const { fleet, org, box } = await openBox();
  const recovery = await loseHsm(fleet, org, box);
  await send(fleet, org, recovery);
  await fleet.kms.client.call('changeKey', { use: 'commands' });
  const [late, token] = [await TestBox.make(), await fleet.token()];
  // The server shows a certificate of the new authority in a moment.
  const enrols = (): Promise<string> => late.enrol(fleet.url, token).then(({ state }) => state, String);
  await expect.poll(enrols, PATIENTLY).toBe('awaiting-approval');
  const { commandKeys } = late.folder.read();
  expect(commandKeys).not.toContainEqual(recovery.keys.commands);
  const nothing = await askRecoveries(late.folder.read(), late.folder.key.open());
  expect(nothing.recoveries).toEqual([]);
  const told = { admins: [], recoveries: [await org.signRecovery(recovery)] };
  await followRecoveries(late.folder, told, Date.now());
  expect(late.folder.read().commandKeys).toEqual(commandKeys);
});
