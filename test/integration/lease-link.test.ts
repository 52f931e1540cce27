import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { MqttCourier } from '../../cloud/fleet/mqtt-courier.ts';
import { replySchema } from '../../shared/fleet/reply.ts';
import { ConnectedBox } from '../helpers/connected-box.ts';
import { type TestBox, TestFleet } from '../helpers/fleet.ts';
import { freePort } from '../helpers/free-port.ts';
import { hasMosquitto } from '../helpers/mosquitto.ts';
import { guest } from '../helpers/vault-guests.ts';

const PATIENTLY = { timeout: 60_000, interval: 50 };

const fleetWithBroker = (): Promise<TestFleet> => TestFleet.start({ broker: 'embedded', limits: { exportsPerDevice: 1000 } });

/** A box that is enrolled, trusted and assigned; `change` puts other claims into the assignment. */
async function assignedBox(fleet: TestFleet, change: object = {}): Promise<TestBox> {
  const box = await fleet.enrolled();
  await fleet.trust(box);
  expect(await fleet.assign(box, change)).toMatchObject({ status: 201 });
  return box;
}

const stateOf = (box: ConnectedBox) => () => box.tenants.get('hall').state;

test('an enrolled box leases its tenant over the link, moves where its KMS wants it, and no broker or log keeps anything of it', async () => {
  const fleet = await fleetWithBroker();
  const answers: string[] = [];
  const answer = MqttCourier.prototype.answer;
  const spied = vi.spyOn(MqttCourier.prototype, 'answer').mockImplementation(async function (this: MqttCourier, device, payload) {
    answers.push(payload.toString());
    await answer.call(this, device, payload);
  });
  onTestFinished(() => spied.mockRestore());
  const box = await ConnectedBox.start(await assignedBox(fleet));
  await expect.poll(stateOf(box), PATIENTLY).toBe('ready');
  expect(await box.leases.get('hall')).toMatchObject({ comes: 'kms', epoch: 1, enforcement: 'memory', failure: null });
  await box.tenants.vault('hall').enrolCustomer(guest(1));

  const hall = { org: 'acme', tenant: 'hall' };
  await fleet.kms.client.call('createEpoch', { ...hall, epoch: 2 });
  await box.leases.renew('hall');
  expect((await box.leases.get('hall')).epoch).toBe(2);
  expect(await fleet.kms.client.call('getMove', { ...hall, epoch: 1 }), 'the last box has left it').toMatchObject({
    boxes: [{ state: 'moved' }],
    destruction: expect.any(Object),
  });

  const replies = answers.map((text) => replySchema.parse(JSON.parse(text)));
  expect(replies.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['challenge', 'lease', 'move-noted']));
  const sealed = replies.flatMap((reply) => (reply.kind === 'lease' ? reply.answer.sealed.toString('base64url') : []));
  expect(sealed.length).toBeGreaterThanOrEqual(3);
  const stored = readdirSync(fleet.cloud.dataDir).filter((name) => /\.db(-wal)?$/.test(name));
  expect(stored).toContain('broker.db');
  for (const name of stored) {
    const text = (await readFile(join(fleet.cloud.dataDir, name))).toString('latin1');
    for (const secret of [...sealed, ...replies.flatMap((reply) => (reply.kind === 'lease' ? reply.answer.lease : []))]) {
      expect(text.includes(secret), name).toBe(false);
    }
  }
}, 120_000);

test.each([['embedded', 'mqtt'], ['embedded', 'https'], ...(hasMosquitto ? [['mosquitto', 'mqtt'] as const] : [])] as const)(
  'a box that is denied closes its tenants at once, and says so: by the %s broker, over %s',
  async (broker, by) => {
    const fleet = await TestFleet.start({ broker });
    const assigned = await assignedBox(fleet);
    if (by === 'https') assigned.folder.write({ ...assigned.folder.read(), mqtt: `mqtts://localhost:${await freePort()}` });
    const box = await ConnectedBox.start(assigned, by === 'https' ? { patienceMs: 200, askEveryMs: 500 } : undefined);
    await expect.poll(stateOf(box), PATIENTLY).toBe('ready');
    expect(await fleet.ask('POST', `/devices/${assigned.id}/deny`)).toMatchObject({ status: 200 });
    await expect.poll(() => box.tenants.get('hall'), PATIENTLY).toMatchObject({ state: 'failed', reason: 'device_denied' });
    expect(box.leases.failureOf('hall')).toBe('device_denied');
  },
  120_000,
);
