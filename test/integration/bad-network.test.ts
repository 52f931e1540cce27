import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type TestBox, TestFleet } from '../helpers/fleet.ts';
import { type Fault, HostileProxy } from '../helpers/hostile-proxy.ts';
import { Deeds } from '../helpers/ledger-place.ts';
import { startLink } from '../helpers/start-link.ts';

const PATIENTLY = { timeout: 90_000, interval: 100 };
/** For how long the network is bad. */
const BAD_MS = 6000;
/** Given while it is bad. */
const COMMANDS = 5;
/** A handshake has about 4 KiB. */
const KIB = 1024;

const FAULTS: Record<string, Fault> = {
  'cut in the midst': { cutAfterBytes: 8 * KIB },
  'cut in the handshake': { cutAfterBytes: 2 * KIB },
  'half closed': { halfCloseAfterBytes: 7 * KIB },
  'slow, in pieces of 7 bytes': { delayMs: 2, pieceBytes: 7 },
  'late by half a second': { delayMs: 500 },
  'swallowed after a while': { swallowAfterBytes: 7 * KIB },
};
const WAYS = ['mqtt', 'https'] as const;

/** Two people agree on the shred of the tenant of every box, with no time to take it back. */
async function shred(fleet: TestFleet): Promise<string> {
  const { body: ben } = await fleet.ask('POST', '/users', { name: 'Ben', email: 'ben@acme.example', roles: [{ role: 'org:admin' }] });
  const { body } = await fleet.ask('POST', '/shreds', { tenant: 'hall', graceMinutes: 0 });
  expect(await fleet.ask('POST', `/shreds/${body.id}/approve`)).toMatchObject({ status: 200 });
  const token = await fleet.cloud.issuer.token(ben.id as string, 'acme');
  expect(await fleet.cloud.ask(token, 'POST', `/v1/orgs/acme/shreds/${body.id}/approve`)).toMatchObject({ status: 200 });
  return body.id as string;
}

test('over a network that cuts, closes, delays, tears and swallows, every command is done once and in order, and a shred by all; nobody comes in a rush', async () => {
  const fleet = await TestFleet.start({ broker: 'embedded' });
  const one = async (box: TestBox, fault: Fault, way: (typeof WAYS)[number]) => {
    const { mqtt } = box.folder.read();
    const proxy = await HostileProxy.start(Number(new URL(way === 'mqtt' ? (mqtt ?? '') : fleet.url).port), fault);
    const deeds = new Deeds();
    const at = `localhost:${proxy.port}`;
    // Over HTTPS: MQTT finds a port where nobody speaks it.
    const by = way === 'mqtt' ? { mqtt: `mqtts://${at}` } : { mqtt: `mqtts://localhost:1`, cloud: `https://${at}`, patienceMs: 100 };
    const startedAt = performance.now();
    const uplink = await startLink(box, { executors: deeds.executors, ...by });
    const given: string[] = [];
    for (let n = 0; n < COMMANDS; n++) {
      await fleet.ask('POST', '/commands', { device: box.id, order: { kind: 'restart-tenant', body: { tenant: `t-${n}` } } });
      given.push(`restart t-${n}`);
      await pause(BAD_MS / COMMANDS);
    }
    const came = proxy.connections;
    // Of MQTT: at once, and then after 1, 2, 4, ... seconds more at the earliest, however long a busy machine took for all this.
    const most = 1 + Math.floor(Math.log2(1 + (performance.now() - startedAt) / 1000));
    proxy.heal();
    const states = async (): Promise<string[]> => {
      const { body } = await fleet.ask('GET', `/commands?device=${box.id}`);
      return body.items.map(({ state }: { state: string }) => state);
    };
    await expect.poll(states, PATIENTLY).toEqual([...given, 'shred'].map(() => 'SUCCEEDED'));
    await expect.poll(() => uplink.by, PATIENTLY).toBe(way);
    expect((await fleet.ask('GET', `/receipts?device=${box.id}`)).body.items).toHaveLength(COMMANDS + 1);
    return { given, begun: deeds.begun, done: deeds.done, came, most };
  };
  const kinds = Object.entries(FAULTS).flatMap(([name, fault]) => WAYS.map((way) => ({ name, fault, way })));
  const boxes = await Promise.all(kinds.map(() => fleet.enrolled()));
  for (const box of boxes) {
    await fleet.trust(box);
    expect(await fleet.assign(box)).toMatchObject({ status: 201 });
  }
  const all = Promise.all(kinds.map(async ({ name, fault, way }, at) => ({ name, way, ...(await one(boxes[at] as TestBox, fault, way)) })));
  const id = await shred(fleet);
  for (const { name, way, given, begun, done, came, most } of await all) {
    // What is urgent comes before what was given before it, or after.
    for (const deeds of [begun, done]) {
      expect(
        deeds.filter((deed) => deed !== 'shred hall'),
        `${name}, ${way}`,
      ).toEqual(given);
      expect(deeds.length, `${name}, ${way}`).toBe(COMMANDS + 1);
    }
    if (way === 'mqtt') expect(came, name).toBeLessThanOrEqual(most);
  }
  const shredded = async () =>
    (await fleet.ask('GET', `/shreds/${id}`)).body as { state: string; boxes: { state: string; receipt: string }[] };
  await expect.poll(async () => (await shredded()).state, PATIENTLY).toBe('done');
  expect(new Set((await shredded()).boxes.map(({ receipt }) => receipt)).size).toBe(kinds.length);
}, 180_000);
