import { expect, onTestFinished, test, vi } from 'vitest';
import { MqttCourier } from '../../cloud/fleet/mqtt-courier.ts';
import type { MqttUplink } from '../../edge/link/mqtt-uplink.ts';
import { Requests } from '../../edge/link/requests/requests.ts';
import { FileDeviceKeys } from '../../edge/vault/keys/device/file-device-keys.ts';
import { type Reply, replySchema } from '../../shared/fleet/reply.ts';
import { newUlid } from '../../shared/ids/ulid.ts';
import { EPOCH_MOVED_TYPE } from '../../shared/lease/epoch-moved.ts';
import { EXPORT_REQUEST_TYPE, KMS_AUDIENCE } from '../../shared/lease/export-request.ts';
import { ConnectedBox } from '../helpers/connected-box.ts';
import { type TestBox, TestFleet } from '../helpers/fleet.ts';
import { linkOf } from '../helpers/link-of.ts';

const PATIENTLY = { timeout: 60_000, interval: 50 };
const HPKE = Buffer.alloc(32, 9).toString('base64url');

const startFleet = (): Promise<TestFleet> => TestFleet.start({ broker: 'embedded', limits: { exportsPerDevice: 1000 } });

async function assignedBox(fleet: TestFleet): Promise<TestBox> {
  const box = await fleet.enrolled();
  await fleet.trust(box);
  expect(await fleet.assign(box)).toMatchObject({ status: 201 });
  return box;
}

/** Asks by the certificate of a box whatever somebody wants who has it. */
async function askerOf(box: TestBox): Promise<{ uplink: MqttUplink; requests: Requests }> {
  const uplink = linkOf(box);
  const requests = new Requests({ uplink, now: Date.now, monotonic: () => performance.now() });
  uplink.onMessage(async (_channel, payload) => {
    const reply = replySchema.parse(JSON.parse(payload.toString()));
    (requests.onReply[reply.kind] as ((reply: Reply) => void) | undefined)?.(reply);
  });
  uplink.start();
  await expect.poll(() => uplink.problem, PATIENTLY).toBeNull();
  return { uplink, requests };
}

const challenge = async (requests: Requests): Promise<string> => (await requests.ask({ kind: 'lease-challenge' }, 'challenge')).nonce;

/** What the box itself would sign. */
function signedBy({ id, keyDir, dataDir }: TestBox, type: string, claims: object): Promise<string> {
  const keys = FileDeviceKeys.open({ id, folder: `${keyDir}/device`, dataDir });
  return keys.sign(type, { aud: KMS_AUDIENCE, sub: id, org: 'acme', tenant: 'hall', ...claims });
}

/** Has everything that the control plane answers go through somebody's hands. @param change undefined: it is lost */
function onTheWay(change: (reply: Reply, send: (reply: object) => Promise<void>) => Promise<void>): void {
  const answer = MqttCourier.prototype.answer;
  const spied = vi.spyOn(MqttCourier.prototype, 'answer').mockImplementation(async function (this: MqttCourier, device, payload) {
    await change(replySchema.parse(JSON.parse(payload.toString())), (reply) =>
      answer.call(this, device, Buffer.from(JSON.stringify(reply))),
    );
  });
  onTestFinished(() => spied.mockRestore());
}

const encoded = (reply: Reply): object => replySchema.encode(reply);

test('what one box signed is of no use to another that brings it, nor is an assignment that it does not have', async () => {
  const fleet = await startFleet();
  const [victim, mallory] = [await assignedBox(fleet), await fleet.enrolled()];
  await fleet.trust(mallory);
  const { requests } = await askerOf(mallory);
  const theirs = await signedBy(victim, EXPORT_REQUEST_TYPE, { epoch: 1, nonce: await challenge(requests), hpke: HPKE });
  await expect(requests.ask({ kind: 'lease-export', request: theirs }, 'lease')).rejects.toMatchObject({ code: 'export_rejected' });
  const moved = await signedBy(victim, EPOCH_MOVED_TYPE, { epoch: 2, iat: 1 });
  await expect(requests.ask({ kind: 'lease-moved', token: moved }, 'move-noted')).rejects.toMatchObject({ code: 'move_rejected' });
  for (const token of ['', 'a.b.c', 'e30.e30.e30']) {
    await expect(requests.ask({ kind: 'lease-export', request: token }, 'lease')).rejects.toMatchObject({ code: 'export_rejected' });
  }
  const asked = (await fleet.kms.audit()).map(({ operation }) => operation);
  expect(asked, 'the KMS heard nothing of it').not.toContain('exportTek');
  expect(asked).not.toContain('acknowledgeMove');

  const own = await signedBy(mallory, EXPORT_REQUEST_TYPE, { epoch: 1, nonce: await challenge(requests), hpke: HPKE });
  await expect(requests.ask({ kind: 'lease-export', request: own }, 'lease')).rejects.toMatchObject({ code: 'assignment_rejected' });
  // The box whose they are gets its lease.
  const { requests: victims } = await askerOf(victim);
  const again = await signedBy(victim, EXPORT_REQUEST_TYPE, { epoch: 1, nonce: await challenge(victims), hpke: HPKE });
  expect(await victims.ask({ kind: 'lease-export', request: again }, 'lease')).toMatchObject({ kind: 'lease' });
  await expect(victims.ask({ kind: 'lease-export', request: again }, 'lease'), 'once').rejects.toMatchObject({ code: 'export_rejected' });
}, 120_000);

test('replies that were forged, exchanged, repeated or meant for nobody open no tenant, and keep none closed', async () => {
  const fleet = await startFleet();
  const box = await assignedBox(fleet);
  let earlier: Reply | undefined;
  let forging = true;
  onTheWay(async (reply, send) => {
    if (reply.kind === 'lease' && forging) {
      // Every flaw that somebody on the way could put in, with the id that the box waits for.
      const flipped = Buffer.from(reply.answer.sealed);
      flipped.writeUInt8(flipped.readUInt8(7) ^ 1, 7);
      earlier ??= reply;
      await send(encoded({ ...reply, answer: { ...reply.answer, sealed: flipped } }));
      return;
    }
    // All that came before comes again, and there is noise.
    if (earlier) await send(encoded(earlier));
    await send({ kind: 'lease', id: newUlid(Date.now()), answer: 'none' });
    await send({ kind: 'move-noted', id: newUlid(Date.now()) });
    await send({ kind: 'refused', id: newUlid(Date.now()), error: { code: 'device_denied', message: 'no', details: {} } });
    await send({ kind: 'refused', id: newUlid(Date.now()), error: { code: 'x', message: 'x'.repeat(200_000), details: {} } });
    await send(encoded(reply));
    await send(encoded(reply));
  });
  const { tenants, leases } = await ConnectedBox.start(box);
  await expect.poll(() => leases.failureOf('hall'), PATIENTLY).toBe('lease_rejected');
  expect(tenants.get('hall').state).toBe('closed');
  forging = false;
  await expect.poll(() => tenants.get('hall').state, PATIENTLY).toBe('ready');
  expect(leases.failureOf('hall')).toBeNull();
}, 120_000);

test('what the KMS refuses over the link closes a tenant, or keeps it closed, as it does at its socket', async () => {
  const fleet = await startFleet();
  const [stranger, box] = [await fleet.enrolled(), await assignedBox(fleet)];
  await fleet.trust(stranger);
  const unassigned = await ConnectedBox.start(stranger);
  await expect.poll(() => unassigned.leases.failureOf('hall'), PATIENTLY).toBe('assignment_rejected');
  expect(unassigned.tenants.get('hall').state).toBe('closed');
  await unassigned.stop();

  const { tenants, leases } = await ConnectedBox.start(box);
  await expect.poll(() => tenants.get('hall').state, PATIENTLY).toBe('ready');
  await fleet.kms.client.call('denyDevice', { device: box.id });
  await expect(leases.renew('hall')).rejects.toMatchObject({ code: 'device_denied' });
  await expect.poll(() => tenants.get('hall'), PATIENTLY).toMatchObject({ state: 'failed', reason: 'device_denied' });
}, 120_000);

test('a box that asks without end, or too much at once, is told to wait, and nobody else waits for it', async () => {
  const fleet = await startFleet();
  const [victim, mallory] = [await assignedBox(fleet), await fleet.enrolled()];
  const { uplink, requests } = await askerOf(mallory);
  await uplink.publish('requests', Buffer.alloc(100_000, 'x'));
  await uplink.publish('requests', Buffer.from('{"kind":"lease-export","id":"none"}'));
  const answers = await Promise.allSettled(Array.from({ length: 300 }, () => challenge(requests)));
  const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  expect(refused.length).toBeGreaterThan(100);
  for (const error of refused) expect(error).toMatchObject({ code: 'rate_limited', details: { retryAfter: expect.any(Number) } });
  const { tenants } = await ConnectedBox.start(victim);
  await expect.poll(() => tenants.get('hall').state, PATIENTLY).toBe('ready');
}, 120_000);
