import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TestFleet } from '../helpers/fleet.ts';
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

test('over a network that cuts, closes, delays, tears and swallows, every command is done once and in order; nobody comes in a rush', async () => {
  const fleet = await TestFleet.start({ broker: 'embedded' });
  const one = async (fault: Fault, way: (typeof WAYS)[number]) => {
    const box = await fleet.enrolled();
    const { mqtt } = box.folder.read();
    const proxy = await HostileProxy.start(Number(new URL(way === 'mqtt' ? (mqtt ?? '') : fleet.url).port), fault);
    const deeds = new Deeds();
    const at = `localhost:${proxy.port}`;
    // Over HTTPS: MQTT finds a port where nobody speaks it.
    const by = way === 'mqtt' ? { mqtt: `mqtts://${at}` } : { mqtt: `mqtts://localhost:1`, cloud: `https://${at}`, patienceMs: 100 };
    const uplink = await startLink(box, { executors: deeds.executors, ...by });
    const until = performance.now() + BAD_MS;
    const given: string[] = [];
    for (let n = 0; n < COMMANDS; n++) {
      await fleet.ask('POST', '/commands', { device: box.id, order: { kind: 'restart-tenant', body: { tenant: `t-${n}` } } });
      given.push(`restart t-${n}`);
      await pause(BAD_MS / COMMANDS);
    }
    await pause(Math.max(0, until - performance.now()));
    const came = proxy.connections;
    proxy.heal();
    const states = async (): Promise<string[]> => {
      const { body } = await fleet.ask('GET', `/commands?device=${box.id}`);
      return body.items.map(({ state }: { state: string }) => state);
    };
    await expect.poll(states, PATIENTLY).toEqual(given.map(() => 'SUCCEEDED'));
    await expect.poll(() => uplink.by, PATIENTLY).toBe(way);
    expect((await fleet.ask('GET', `/receipts?device=${box.id}`)).body.items).toHaveLength(COMMANDS);
    return { given, begun: deeds.begun, done: deeds.done, came };
  };
  const all = Object.entries(FAULTS).flatMap(([name, fault]) => WAYS.map(async (way) => ({ name, way, ...(await one(fault, way)) })));
  for (const { name, way, given, begun, done, came } of await Promise.all(all)) {
    expect([begun, done], `${name}, ${way}`).toEqual([given, given]);
    // Of MQTT: at once, and after 1, 2 and 4 seconds at the earliest.
    if (way === 'mqtt') expect(came, name).toBeLessThanOrEqual(4);
  }
}, 180_000);
