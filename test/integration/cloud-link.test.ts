import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leave } from '../../edge/link/enrolment/leave.ts';
import { renew } from '../../edge/link/enrolment/renew.ts';
import { ConnectedBox } from '../helpers/connected-box.ts';
import { TestBox, TestFleet } from '../helpers/fleet.ts';
import { freePort } from '../helpers/free-port.ts';

const PATIENTLY = { timeout: 30_000, interval: 50 };
const CONNECTED = { connected: true, problem: null };

test('the link comes when the box enrols and goes when it leaves, however often, while the daemon runs', async () => {
  const fleet = await TestFleet.start({ broker: true });
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
  const fleet = await TestFleet.start({ broker: true });
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
  const fleet = await TestFleet.start({ broker: true });
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
