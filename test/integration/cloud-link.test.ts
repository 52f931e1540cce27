import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LinkFolder } from '../../edge/link/enrolment/link-folder.ts';
import { TestFleet } from '../helpers/fleet.ts';
import { freePort } from '../helpers/free-port.ts';
import { linkOf } from '../helpers/link-of.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const PATIENTLY = { timeout: 30_000, interval: 50 };

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
