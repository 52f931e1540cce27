import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openAppliance } from '../../edge/appliance/open-appliance.ts';
import { CloudLink, type CloudLinkOptions } from '../../edge/box/cloud-link.ts';
import { Leases } from '../../edge/box/leases.ts';
import { Tenants } from '../../edge/box/tenants.ts';
import { parseConfig } from '../../edge/config/load-config.ts';
import { EstClient } from '../../edge/link/enrolment/est-client.ts';
import { LinkFolder } from '../../edge/link/enrolment/link-folder.ts';
import { Renewal } from '../../edge/link/enrolment/renewal.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { TestFleet } from '../helpers/fleet.ts';
import { freePort } from '../helpers/free-port.ts';
import { hasMosquitto } from '../helpers/mosquitto.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const DAY_MS = 86_400_000;
const PATIENTLY = { timeout: 30_000, interval: 50 };

/** The link as the daemon has it. */
async function linkOf(folder: LinkFolder, overHttps?: CloudLinkOptions['overHttps']): Promise<CloudLink> {
  const root = await tempFolder();
  const config = parseConfig({ dataDir: join(root, 'data'), keyDir: join(root, 'keys'), tenants: [{ id: 'hall', org: 'acme' }] });
  const appliance = openAppliance(config.dataDir);
  onTestFinished(() => appliance.close());
  const logger = testLogger('edge');
  const tenants = new Tenants({
    config,
    appliance: () => appliance,
    clock: systemClock,
    logger,
    onOpen: async () => undefined,
    onClose: async () => undefined,
    waits: () => new BackOff(600_000, 600_000),
  });
  const leases = new Leases({ config, tenants, carrier: undefined, random: () => 0, logger });
  const link = new CloudLink({
    ...{ folder, journal: () => appliance.commands, leases, tenants, clock: systemClock, random: () => 0, logger },
    ...(overHttps === undefined ? {} : { overHttps }),
  });
  onTestFinished(() => link.stop());
  return link;
}

test('a box that is not enrolled, or whose enrolment cannot be read, or whose control plane has no broker, starts without a link', async () => {
  const root = await tempFolder();
  const folder = new LinkFolder(root, undefined);
  const link = await linkOf(folder);
  await link.start();
  expect(link.state).toBeNull();
  link.renewed();

  folder.make();
  await writeFile(join(root, 'link', 'enrolment.json'), '{"version":1', { mode: 0o600 });
  const broken = await linkOf(folder);
  await broken.start();
  expect(broken.state).toBeNull();

  const fleet = await TestFleet.start();
  const box = await fleet.enrolled();
  box.folder.write({ ...box.folder.read(), mqtt: null });
  const without = await linkOf(box.folder);
  await without.start();
  expect(without.state).toBeNull();
}, 60_000);

test('a box says why it is cut off, and goes on with what comes with a new certificate', async () => {
  const fleet = await TestFleet.start({ broker: 'embedded' });
  const box = await fleet.enrolled();
  const enrolment = box.folder.read();
  box.folder.write({ ...enrolment, mqtt: `mqtts://localhost:${await freePort()}` });
  const link = await linkOf(box.folder);
  await link.start();
  await expect.poll(() => link.state?.problem, PATIENTLY).toMatch(/ECONNREFUSED/);
  expect(link.state).toMatchObject({ connected: false });

  box.folder.write(enrolment);
  link.renewed();
  await expect.poll(() => link.state, PATIENTLY).toMatchObject({ connected: true, problem: null });
  await expect.poll(() => link.state?.forMs, PATIENTLY).toBeGreaterThan(200);

  // A connection that stands is made anew.
  link.renewed();
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
      const link = await linkOf(box.folder, { patienceMs: 200, askEveryMs: 500 });
      await link.start();
      await expect.poll(() => link.state, PATIENTLY).toMatchObject({ connected: true, by: 'https', problem: null });
      await expect.poll(() => stateOf(before), PATIENTLY).toBe('SUCCEEDED');
      // One that is given to a box which asks now and then.
      const meanwhile = await order();
      await expect.poll(() => stateOf(meanwhile), PATIENTLY).toBe('SUCCEEDED');

      box.folder.write(enrolment);
      link.renewed();
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
  const link = await linkOf(box.folder, { patienceMs: 100, askEveryMs: 200 });
  await link.start();
  await expect.poll(() => link.state?.problem, PATIENTLY).toMatch(/not authorized/i);
  const client = new EstClient({ cloud: fleet.url, authorities, credentials: { key: box.folder.key.open(), certificate } });
  await expect(client.link()).rejects.toMatchObject({ code: 'certificate_rejected' });
  await expect(client.leave()).rejects.toMatchObject({ code: 'certificate_rejected' });
  expect(link.state).toMatchObject({ connected: false, by: null });
  expect((await fleet.ask('GET', `/commands/${made.id}`)).body.state).toBe('QUEUED');

  const renewal = new Renewal({
    ...{ folder: box.folder, clock: systemClock, random: () => 0, logger: testLogger('edge') },
    onRenewed: () => link.renewed(),
  });
  onTestFinished(() => renewal.stop());
  await renewal.start();
  await expect.poll(() => link.state?.connected, PATIENTLY).toBe(true);
  await expect.poll(async () => (await fleet.ask('GET', `/commands/${made.id}`)).body.state, PATIENTLY).toBe('SUCCEEDED');
}, 90_000);
