import type { KeyObject, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { firstRights } from '../../cloud/fleet/rights/first-rights.ts';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { renew } from '../../edge/link/enrolment/renew.ts';
import type { MqttUplink } from '../../edge/link/mqtt-uplink.ts';
import { TestBox, TestFleet } from '../helpers/fleet.ts';
import { linkOf } from '../helpers/link-of.ts';
import { hasMosquitto } from '../helpers/mosquitto.ts';

const DAY_MS = 86_400_000;
const PATIENTLY = { timeout: 30_000, interval: 50 };
/** A mosquitto lets in whoever has a certificate, and do what he has a right to. */
const REFUSED = /not authorized|subscribe error/i;

const BROKERS = hasMosquitto ? (['embedded', 'mosquitto'] as const) : (['embedded'] as const);

function startedLink(box: TestBox): MqttUplink {
  const uplink = linkOf(box);
  uplink.start();
  return uplink;
}

async function expectConnected(uplink: MqttUplink): Promise<void> {
  await expect.poll(() => uplink.problem, PATIENTLY).toBeNull();
}

async function expectRefused(uplink: MqttUplink): Promise<void> {
  await expect.poll(() => uplink.problem, PATIENTLY).toMatch(REFUSED);
}

test.each(BROKERS)(
  'over %s: who has the earlier certificate of a box that enrolled anew is cut off and stays out; the box itself is let in',
  async (broker) => {
    const fleet = await TestFleet.start({ broker });
    const [box, other] = [await fleet.enrolled(), await fleet.enrolled()];
    const [stolen, untouched] = [startedLink(box), startedLink(other)];
    await Promise.all([expectConnected(stolen), expectConnected(untouched)]);
    box.folder.clear();
    await box.enrol(fleet.url, await fleet.token());
    await expectRefused(stolen);
    await expectConnected(startedLink(box));
    expect(untouched.problem).toBeNull();

    // Let go, it is out as well.
    const link = startedLink(other);
    await expectConnected(link);
    expect(await fleet.ask('POST', `/devices/${other.id}/release`)).toMatchObject({ status: 200 });
    await expectRefused(link);
  },
  60_000,
);

// By the time of TLS, which no test moves, the certificate holds throughout.
test('a certificate that has ended opens nothing, although it still buys a new one', async () => {
  let ahead = 0;
  const fleet = await TestFleet.start({ broker: 'embedded', now: () => Date.now() + ahead });
  const box = await fleet.enrolled();
  const link = startedLink(box);
  await expectConnected(link);
  ahead = 15 * DAY_MS;
  await expectRefused(link);
  await renew(box.folder);
  ahead = 0;
  await expectConnected(link);
}, 60_000);

test.each(BROKERS)(
  'over %s: a new authority: the broker lets in whom either has certified, and is believed by both',
  async (broker) => {
    const fleet = await TestFleet.start({ broker });
    const early = await fleet.enrolled();
    expect(await fleet.asOperator('POST', '/v1/authorities')).toMatchObject({ status: 201 });
    const [late, token] = [await TestBox.make(), await fleet.token()];
    // The servers show a certificate of the new authority when they next look.
    await expect.poll(() => late.enrol(fleet.url, token), { timeout: 30_000, interval: 500 }).toBeDefined();
    // Other than a certificate of its own, mosquitto takes new authorities when it starts.
    await fleet.broker?.certify();
    await fleet.broker?.mosquitto.stop();
    await fleet.broker?.mosquitto.start();
    await expectConnected(startedLink(late));
    await expectConnected(startedLink(early));
  },
  60_000,
);

test('the control plane says how its broker is, and counts its boxes', async () => {
  const fleet = await TestFleet.start({ broker: 'embedded' });
  const { body } = await fleet.cloud.ask(await fleet.cloud.localToken(LOCAL_OPERATOR, ''), 'GET', '/readyz');
  expect(body.parts).toContainEqual({ part: 'broker', ready: true, reason: null, what: null });
  await expectConnected(startedLink(await fleet.enrolled()));
  const metrics = await (await fetch(`${fleet.cloud.url}/metrics`)).text();
  expect(metrics).toContain('securegate_cloud_connected_boxes 1\n');
});

describe.runIf(hasMosquitto)('a broker that stands apart', () => {
  /** Users at the broker that are boxes. */
  const boxesAt = async ({ broker }: TestFleet): Promise<string[]> => {
    const { clients } = JSON.parse(await readFile(broker?.rights ?? '', 'utf8')) as { clients: { username: string }[] };
    return clients.flatMap(({ username }) => /CN=(box_\w+)/.exec(username)?.[1] ?? []).sort();
  };

  test('that is away when boxes come and go, or has lost its users, learns who may come in when it is back', async () => {
    const fleet = await TestFleet.start({ broker: 'mosquitto' });
    const [gone, stays] = [await fleet.enrolled(), await fleet.enrolled()];
    await expectConnected(startedLink(gone));
    const mosquitto = fleet.broker?.mosquitto;
    await mosquitto?.stop('SIGKILL');
    const came = await fleet.enrolled();
    expect(await fleet.ask('POST', `/devices/${gone.id}/deny`)).toMatchObject({ status: 200, body: { state: 'denied' } });
    await mosquitto?.start();
    await expect.poll(() => boxesAt(fleet), PATIENTLY).toEqual([stays.id, came.id].sort());
    await expectConnected(startedLink(came));
    await expectRefused(startedLink(gone));

    await mosquitto?.stop();
    await writeFile(fleet.broker?.rights ?? '', JSON.stringify(firstRights(['control-plane'])));
    await mosquitto?.start();
    await expectConnected(startedLink(stays));
    expect(await boxesAt(fleet)).toEqual([stays.id, came.id].sort());
  }, 60_000);

  test('takes a renewed certificate, of the same key, without a box noticing', async () => {
    const fleet = await TestFleet.start({ broker: 'mosquitto' });
    const box = await fleet.enrolled();
    const link = startedLink(box);
    await expectConnected(link);
    const { mqtt, authorities } = box.folder.read();
    const shown = async (): Promise<X509Certificate | undefined> => {
      const socket = connect({ port: Number(new URL(mqtt ?? '').port), host: '127.0.0.1', ca: [...authorities] });
      socket.on('error', () => undefined);
      await once(socket, 'secureConnect');
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      return certificate;
    };
    const before = await shown();
    await fleet.broker?.certify();
    fleet.broker?.mosquitto.reload();
    await expect.poll(async () => (await shown())?.serialNumber, PATIENTLY).not.toBe(before?.serialNumber);
    expect((await shown())?.publicKey.equals(before?.publicKey as KeyObject)).toBe(true);
    expect(link.problem).toBeNull();
  });

  test('is one of the parts of the control plane: it says so where the broker is away', async () => {
    const fleet = await TestFleet.start({ broker: 'mosquitto' });
    const broker = async (): Promise<unknown> => {
      const { body } = await fleet.cloud.ask(await fleet.cloud.localToken(LOCAL_OPERATOR, ''), 'GET', '/readyz');
      return body.parts.find(({ part }: { part: string }) => part === 'broker');
    };
    await expect.poll(broker, PATIENTLY).toMatchObject({ ready: true });
    await fleet.broker?.mosquitto.stop();
    await expect.poll(broker, PATIENTLY).toMatchObject({ ready: false, reason: 'broker_unavailable' });
  });
});
