import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EstClient } from '../../edge/link/enrolment/est-client.ts';
import { leave } from '../../edge/link/enrolment/leave.ts';
import { renew } from '../../edge/link/enrolment/renew.ts';
import { Renewal } from '../../edge/link/enrolment/renewal.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { ConnectedBox } from '../helpers/connected-box.ts';
import { TestBox, TestFleet } from '../helpers/fleet.ts';
import { freePort } from '../helpers/free-port.ts';
import { hasMosquitto } from '../helpers/mosquitto.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';

const DAY_MS = 86_400_000;
const PATIENTLY = { timeout: 30_000, interval: 50 };
const CONNECTED = { connected: true, problem: null };

test('the link comes when the box enrols and goes when it leaves, however often, while the daemon runs', async () => {
  const fleet = await TestFleet.start({ broker: 'embedded' });
  const box = await TestBox.make();
  const { link } = await ConnectedBox.start(box);
  expect(link.state).toBeNull();

  await box.enrol(fleet.url, await fleet.token());
  await expect.poll(() => link.state, PATIENTLY).toMatchObject(CONNECTED);
  await leave(box.folder);
  await expect.poll(() => link.state, PATIENTLY).toBeNull();

  await box.enrol(fleet.url, await fleet.token());
  await expect.poll(() => link.state, PATIENTLY).toMatchObject(CONNECTED);

  // Out and in again between two looks: the key of before opens nothing any more.
  await leave(box.folder);
  await expect.poll(() => link.state?.connected, PATIENTLY).not.toBe(true);
  await box.enrol(fleet.url, await fleet.token());
  await expect.poll(() => link.state, PATIENTLY).toMatchObject(CONNECTED);
}, 90_000);

test('a box whose enrolment cannot be read has no link until it can; nor has one whose control plane has no broker', async () => {
  const fleet = await TestFleet.start({ broker: 'embedded' });
  const box = await fleet.enrolled();
  const file = join(box.keyDir, 'link', 'enrolment.json');
  const good = await readFile(file);
  await writeFile(file, '{"version":1');
  const { link } = await ConnectedBox.start(box);
  expect(link.state).toBeNull();
  await writeFile(file, good);
  await expect.poll(() => link.state, PATIENTLY).toMatchObject(CONNECTED);

  box.folder.write({ ...box.folder.read(), mqtt: null });
  await expect.poll(() => link.state, PATIENTLY).toBeNull();
}, 60_000);

test('a box says why it is cut off, and goes on with what comes with a new certificate', async () => {
  const fleet = await TestFleet.start({ broker: 'embedded' });
  const box = await fleet.enrolled();
  const enrolment = box.folder.read();
  box.folder.write({ ...enrolment, mqtt: `mqtts://localhost:${await freePort()}` });
  const { link } = await ConnectedBox.start(box);
  await expect.poll(() => link.state?.problem, PATIENTLY).toMatch(/ECONNREFUSED/);
  expect(link.state).toMatchObject({ connected: false });

  box.folder.write(enrolment);
  await expect.poll(() => link.state, PATIENTLY).toMatchObject(CONNECTED);
  await expect.poll(() => link.state?.forMs, PATIENTLY).toBeGreaterThan(200);

  // A connection that stands is made anew.
  await renew(box.folder);
  await link.look();
  await expect.poll(() => link.state?.connected, PATIENTLY).toBe(false);
  await expect.poll(() => link.state?.connected, PATIENTLY).toBe(true);
}, 90_000);

describe.each(hasMosquitto ? (['embedded', 'mosquitto'] as const) : (['embedded'] as const))(
  'where MQTT is blocked, over the %s broker',
  (broker) => {
    test('a box is told what to do over HTTPS, and goes back to MQTT when it gets through', async () => {
      const fleet = await TestFleet.start({ broker });
      const box = await fleet.enrolled();
      const order = async (): Promise<string> => {
        const made = await fleet.ask('POST', '/commands', { device: box.id, order: { kind: 'sync', body: {} } });
        expect(made.status).toBe(201);
        return made.body.id;
      };
      const stateOf = async (id: string): Promise<string> => (await fleet.ask('GET', `/commands/${id}`)).body.state;
      const enrolment = box.folder.read();
      box.folder.write({ ...enrolment, mqtt: `mqtts://localhost:${await freePort()}` });
      const before = await order();
      const { link } = await ConnectedBox.start(box, { patienceMs: 200, askEveryMs: 500 });
      await expect.poll(() => link.state, PATIENTLY).toMatchObject({ connected: true, by: 'https', problem: null });
      await expect.poll(() => stateOf(before), PATIENTLY).toBe('SUCCEEDED');
      // One that is given to a box which asks now and then.
      const meanwhile = await order();
      await expect.poll(() => stateOf(meanwhile), PATIENTLY).toBe('SUCCEEDED');

      box.folder.write(enrolment);
      await expect.poll(() => link.state, PATIENTLY).toMatchObject({ connected: true, by: 'mqtt', problem: null });
      const after = await order();
      await expect.poll(() => stateOf(after), PATIENTLY).toBe('SUCCEEDED');

      // Denied, it gets in by neither.
      expect(await fleet.ask('POST', `/devices/${box.id}/deny`)).toMatchObject({ status: 200 });
      await expect.poll(() => link.state?.connected, PATIENTLY).toBe(false);
    }, 90_000);
  },
);

test('a box that was away for three lives of its certificate gets nothing but a new one, and then what it was told to do meanwhile', async () => {
  let ago = 43 * DAY_MS;
  const fleet = await TestFleet.start({ broker: 'embedded', now: () => Date.now() - ago });
  const box = await fleet.enrolled();
  ago -= DAY_MS;
  const expiresAt = new Date(Date.now() + DAY_MS).toISOString();
  const { body: made } = await fleet.ask('POST', '/commands', { device: box.id, order: { kind: 'sync', body: {} }, expiresAt });
  const { certificate, authorities } = box.folder.read();
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  expect(Date.now() - validFromDate.getTime()).toBeGreaterThan(3 * (validToDate.getTime() - validFromDate.getTime()));

  ago = 0;
  const { link } = await ConnectedBox.start(box, { patienceMs: 100, askEveryMs: 200 });
  await expect.poll(() => link.state?.problem, PATIENTLY).toMatch(/not authorized/i);
  const client = new EstClient({ cloud: fleet.url, authorities, credentials: { key: box.folder.key.open(), certificate } });
  await expect(client.link()).rejects.toMatchObject({ code: 'certificate_rejected' });
  await expect(client.leave()).rejects.toMatchObject({ code: 'certificate_rejected' });
  expect(link.state).toMatchObject({ connected: false, by: null });
  expect((await fleet.ask('GET', `/commands/${made.id}`)).body.state).toBe('QUEUED');

  const renewal = new Renewal({
    ...{ folder: box.folder, clock: systemClock, random: () => 0, logger: testLogger('edge') },
    onRenewed: () => void link.look(),
  });
  onTestFinished(() => renewal.stop());
  await renewal.start();
  await expect.poll(() => link.state?.connected, PATIENTLY).toBe(true);
  await expect.poll(async () => (await fleet.ask('GET', `/commands/${made.id}`)).body.state, PATIENTLY).toBe('SUCCEEDED');
}, 90_000);
