import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openAppliance } from '../../edge/appliance/open-appliance.ts';
import { CloudLink } from '../../edge/box/cloud-link.ts';
import { Leases } from '../../edge/box/leases.ts';
import { Shredder } from '../../edge/box/shredder.ts';
import { Tenants } from '../../edge/box/tenants.ts';
import { parseConfig } from '../../edge/config/load-config.ts';
import { LinkFolder } from '../../edge/link/enrolment/link-folder.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { TestFleet } from '../helpers/fleet.ts';
import { freePort } from '../helpers/free-port.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const PATIENTLY = { timeout: 30_000, interval: 50 };

/** The link as the daemon has it. */
async function linkOf(folder: LinkFolder): Promise<CloudLink> {
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
  const shredder = new Shredder({ config, appliance: () => appliance, tenants, leases, holders: [], clock: systemClock, logger });
  const link = new CloudLink({
    folder,
    journal: () => appliance.commands,
    leases,
    tenants,
    shredder,
    clock: systemClock,
    random: () => 0,
    logger,
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
  const fleet = await TestFleet.start({ broker: true });
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
