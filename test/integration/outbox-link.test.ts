import { expect, test } from 'vitest';
import { ConnectedBox } from '../helpers/connected-box.ts';
import { TestBox, TestFleet } from '../helpers/fleet.ts';
import { sightingOf } from '../helpers/vault-guests.ts';

const PATIENTLY = { timeout: 30_000, interval: 100 };

test('what a tenant under a lease of the control plane has seen and used is read there a moment later', async () => {
  const fleet = await TestFleet.start({ broker: true });
  const box = await TestBox.make();
  await box.enrol(fleet.url, await fleet.token());
  const { tenants } = await ConnectedBox.start(box);
  await fleet.trust(box);
  await fleet.assign(box);
  const vault = tenants.vault('hall');
  await expect.poll(() => vault.state, PATIENTLY).toBe('ready');
  const today = new Date().toISOString().slice(0, 10);
  await vault.count('frames', 12);
  for (let seen = 0; seen < 3; seen++)
    await vault.recordSighting({ ...sightingOf(null, 'hall', 'unknown'), endedAt: `${today}T00:10:00.000Z` });
  expect(vault.outbox.items).toBe(3);

  const span = `from=${today}&to=${today}`;
  const read = async (what: string): Promise<object> => (await fleet.ask('GET', `/tenants/hall/${what}&${span}`)).body;
  await expect
    .poll(() => read('sighting-counts?per=day'), PATIENTLY)
    .toEqual({
      counts: [{ camera: 'door', from: `${today}T00:00:00.000Z`, known: 0, unknown: 3 }],
    });
  expect(await read('sighting-counts?per=hour')).toMatchObject({ counts: [{ from: `${today}T00:00:00.000Z`, unknown: 3 }] });
  await expect.poll(() => vault.outbox, PATIENTLY).toMatchObject({ items: 0, bytes: 0, dropped: 0 });
  expect((await fleet.ask('GET', `/tenants/hall/sighting-counts?from=2020-01-01&to=${today}`)).status).toBe(400);
  expect((await fleet.ask('GET', `/tenants/nowhere/usage?${span}`)).status).toBe(404);
  expect((await fleet.ask('GET', `/devices/${box.id}/telemetry`)).body).toMatchObject({ code: 'record_not_found' });
}, 60_000);
