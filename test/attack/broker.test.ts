import { once } from 'node:events';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { connectAsync, type IClientOptions, MqttClient } from 'mqtt';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Broker, type BrokerOptions } from '../../cloud/broker/broker.ts';
import { MqttUplink } from '../../edge/link/mqtt-uplink.ts';
import { DOWN_CHANNELS, downTopic, upTopic } from '../../shared/fleet/topics.ts';
import { newId } from '../../shared/ids/ids.ts';
import type { ClientCredentials } from '../../shared/mqtt/open-broker.ts';
import { BrokerCa } from '../helpers/broker-ca.ts';
import { connectPacket, lengthOf, openMqtt, openTls, packet, publishPacket, subscribePacket } from '../helpers/raw-mqtt.ts';
import { hasOpenssl, TestCa } from '../helpers/test-ca.ts';

const MIB = 1024 * 1024;
const [BOX, OTHER, PAST] = [newId('box'), newId('box'), newId('box')];
const ROOMY = { connectionsEach: 2000, connectsAMinute: 100_000, connections: 5000 };

describe.skipIf(!hasOpenssl)('whoever means ill by the broker', () => {
  let ca: BrokerCa;
  let rogue: TestCa;
  let certificates: Record<'box' | 'other', () => ClientCredentials>;
  let broker: Broker;
  let log: string[];
  /** What the control plane hears, on any topic. */
  let heard: [topic: string, text: string][];
  let denied: Set<string>;
  let now: () => number;

  beforeAll(() => {
    ca = new BrokerCa();
    rogue = new TestCa(ca.folder, 'Rogue');
    certificates = { box: ca.credentials(BOX), other: ca.credentials(OTHER) };
  });
  afterAll(() => ca.remove());

  beforeEach(async () => {
    log = [];
    heard = [];
    denied = new Set();
    now = Date.now;
    await start({});
  });
  // Whatever was done to it: it still serves those who mean well.
  afterEach(async () => {
    await expectService();
    await broker.stop();
  });

  async function start(more: Partial<BrokerOptions>): Promise<void> {
    broker = new Broker({
      listen: { host: '127.0.0.1', port: 0 },
      certificates: () => ca.door(),
      devices: { isAllowed: async (device) => !denied.has(device) },
      controlPlane: 'control-plane',
      file: join(ca.folder, `${newId('record')}.db`),
      limits: ROOMY,
      now: () => now(),
      logger: pino({ level: 'debug' }, { write: (line) => void log.push(line) }),
      ...more,
    });
    await broker.start();
    const control = new MqttClient(() => broker.connect(), { clientId: 'control-plane', reconnectPeriod: 0 });
    control.on('message', (topic, payload) => heard.push([topic, payload.toString()]));
    await control.subscribeAsync(['edge/v1/+/up/#', 'dead/v1/+'], { qos: 1 });
  }

  async function expectService(): Promise<void> {
    const { client, messages } = await boxClient(certificates.other, OTHER);
    await client.subscribeAsync(downTopic(OTHER, 'commands'), { qos: 1 });
    await client.publishAsync(upTopic(OTHER, 'acks'), 'still served', { qos: 1 });
    // What a flood left comes in its turn, also after this.
    await expect.poll(() => heard).toContainEqual([upTopic(OTHER, 'acks'), 'still served']);
    await client.endAsync();
    expect(messages).toEqual([]);
  }

  const url = (): URL => new URL(`mqtts://127.0.0.1:${broker.port}`);

  async function boxClient(credentials: () => ClientCredentials, clientId: string, more: IClientOptions = {}) {
    const messages: string[] = [];
    const options: IClientOptions = {
      ...credentials(),
      protocol: 'mqtts',
      host: '127.0.0.1',
      port: broker.port,
      clientId,
      reconnectPeriod: 0,
    };
    const client = await connectAsync({ ...options, ...more });
    client.on('error', () => undefined);
    client.on('message', (topic, payload) => messages.push(`${topic} ${payload.toString()}`));
    onTestFinished(() => void client.end(true));
    return { client, messages };
  }

  async function openBox(): Promise<TLSSocket> {
    const { socket, code } = await openMqtt(url(), certificates.box(), BOX);
    expect(code).toBe(0);
    return socket;
  }

  describe('with a certificate', () => {
    test.each<[string, RegExp, () => [() => ClientCredentials, string]]>([
      ['of another authority', /does not hold.*(UNABLE|SELF_SIGNED|unable|self)/, () => [ca.credentials(BOX, rogue), BOX]],
      ['that has expired', /does not hold.*(EXPIRED|expired)/, () => [ca.credentials(PAST, ca.ca, -1), PAST]],
      ['that is not of a device', /not of a device/, () => [ca.credentials('control-plane'), 'control-plane']],
      ['of a device, as another one', /client id/, () => [certificates.box, OTHER]],
      ['of a device, as the control plane', /client id/, () => [certificates.box, 'control-plane']],
      ['of a device, without a client id', /client id/, () => [certificates.box, '']],
    ])('%s comes nobody in, and the log says why', async (_name, reason, who) => {
      const [credentials, clientId] = who();
      const { code } = await openMqtt(url(), credentials(), clientId);
      expect(code).toBeGreaterThan(0);
      expect(log.join()).toMatch(reason);
    });

    test('comes nobody in without one', async () => {
      const socket = connect({ host: '127.0.0.1', port: broker.port, ca: ca.ca.pem }).on('error', () => undefined);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect([...answer]).toEqual([0x20, 2, 0, 5]);
      expect(log.join()).toContain('there is no client certificate');
    });

    test('comes nobody in whose device is denied, and the box learns that it is refused', async () => {
      denied.add(BOX);
      const uplink = new MqttUplink({
        url,
        device: BOX,
        credentials: certificates.box,
        random: Math.random,
        logger: pino({ level: 'silent' }),
      });
      onTestFinished(() => uplink.stop());
      uplink.start();
      await expect.poll(() => uplink.problem).toMatch(/Not authorized/);
      expect(broker.counts.read().refused).toEqual({ 'not allowed': 1 });
    });

    test('comes nobody in while it is not known who is denied', async () => {
      await broker.stop();
      await start({ devices: { isAllowed: () => Promise.reject(new Error('no database')) } });
      expect((await openMqtt(url(), certificates.box(), BOX)).code).toBe(3);
      await broker.stop();
      await start({});
    });

    test('of a device that is denied while it is being let in, nobody stays', async () => {
      const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>();
      const { promise: answer, resolve: letIn } = Promise.withResolvers<boolean>();
      await broker.stop();
      await start({
        devices: {
          isAllowed: (device) => {
            if (device !== BOX) return Promise.resolve(true);
            onAsked();
            return answer;
          },
        },
      });
      const socket = await openTls(url(), certificates.box());
      const closed = closeOf(socket);
      socket.write(connectPacket(BOX));
      await asked;
      await broker.kick(BOX);
      letIn(true);
      await closed;
    });

    test('nobody stays longer than it lasts', async () => {
      const socket = await openBox();
      const closed = closeOf(socket);
      now = () => Date.now() + 2 * 86_400_000;
      await closed;
      now = Date.now;
    });

    test('nobody goes on with what an earlier handshake has found', async () => {
      const sessions: Buffer[] = [];
      const first = await openTls(url(), certificates.box());
      first.on('session', (session) => sessions.push(session));
      first.write(connectPacket(BOX));
      await once(first, 'data');
      for (const session of sessions) {
        const socket = connect({ host: '127.0.0.1', port: broker.port, ca: ca.ca.pem, session }).on('error', () => undefined);
        await once(socket, 'secureConnect');
        expect(socket.isSessionReused()).toBe(false);
        socket.destroy();
      }
      first.destroy();
    });

    test('an authority that is trusted no more lets nobody in, one that has been added does, and nobody inside is disturbed', async () => {
      let trusted = [ca.ca.pem];
      await broker.stop();
      await start({ certificates: () => ca.door(trusted) });
      const inside = await openBox();
      const byRogue = ca.credentials(OTHER, rogue);
      trusted = [ca.ca.pem, rogue.pem];
      broker.reload();
      expect((await openMqtt(url(), byRogue(), OTHER)).code).toBe(0);
      trusted = [ca.ca.pem];
      broker.reload();
      expect((await openMqtt(url(), byRogue(), OTHER)).code).toBe(5);
      inside.write(publishPacket(upTopic(BOX, 'acks'), Buffer.from('inside'), { qos: 1 }));
      await expect.poll(() => heard).toContainEqual([upTopic(BOX, 'acks'), 'inside']);
    });
  });

  describe('as a device', () => {
    const FOREIGN = [
      upTopic(OTHER, 'acks'),
      downTopic(OTHER, 'commands'),
      downTopic(BOX, 'commands'),
      `edge/v1/${BOX}/up`,
      `edge/v1/${BOX}/up/acks/`,
      `edge/v1/${BOX}/up/nothing`,
      `edge/v1/${BOX}/UP/acks`,
      `/edge/v1/${BOX}/up/acks`,
      `edge/v1/${BOX}/up/acks\u200b`,
      `dead/v1/${OTHER}`,
      '$SYS/x/kick',
      '$CONTROL/dynamic-security/v1',
      '$share/g/edge',
      '__proto__',
    ];

    test.each(FOREIGN)('nobody is heard on %s: it is acknowledged, and the control plane learns why', async (topic) => {
      const { client } = await boxClient(certificates.box, BOX);
      await client.publishAsync(topic, 'forged', { qos: 1 });
      await expect.poll(() => heard).toEqual([[`dead/v1/${BOX}`, JSON.stringify({ reason: 'foreign topic', topic, bytes: 6 })]]);
      expect(client.connected).toBe(true);
      expect(broker.counts.read().denied).toEqual({ 'foreign topic': 1 });
    });

    test.each([
      '#',
      '+',
      '+/+/+/+/+',
      `edge/v1/${BOX}/down/#`,
      `edge/v1/${BOX}/down/+`,
      `edge/v1/+/down/commands`,
      ...FOREIGN.slice(0, 2),
      '$SYS/#',
      '$SYS/+/kick',
    ])('nobody hears %s', async (filter) => {
      const { client, messages } = await boxClient(certificates.box, BOX);
      await expect(client.subscribeAsync(filter, { qos: 1 })).rejects.toThrow();
      await broker.kick(OTHER);
      const { client: other } = await boxClient(certificates.other, OTHER);
      await other.publishAsync(upTopic(OTHER, 'acks'), 'secret', { qos: 1 });
      expect(messages).toEqual([]);
      expect(client.connected).toBe(true);
    });

    test('nobody has foreign messages kept for him by subscribing to them along with his own', async () => {
      const { client } = await boxClient(certificates.box, BOX, { clean: false });
      await expect(client.subscribeAsync([downTopic(BOX, 'commands'), '#', upTopic(OTHER, 'acks')], { qos: 1 })).rejects.toThrow();
      await client.endAsync();
      const { client: other } = await boxClient(certificates.other, OTHER);
      await other.publishAsync(upTopic(OTHER, 'acks'), 'secret', { qos: 1 });
      const again = await boxClient(certificates.box, BOX, { clean: false });
      await again.client.publishAsync(upTopic(BOX, 'acks'), 'back', { qos: 1 });
      expect(again.messages).toEqual([]);
    });

    test('nobody leaves anything behind for those who come later', async () => {
      const { client } = await boxClient(certificates.box, BOX);
      for (const topic of [upTopic(BOX, 'acks'), downTopic(OTHER, 'commands')]) {
        await client.publishAsync(topic, 'poison', { qos: 1, retain: true });
      }
      await expect.poll(() => heard.map(([topic]) => topic)).toEqual([`dead/v1/${BOX}`, `dead/v1/${BOX}`]);
      const { client: other, messages } = await boxClient(certificates.other, OTHER);
      await other.subscribeAsync([...DOWN_CHANNELS.map((channel) => downTopic(OTHER, channel))], { qos: 1 });
      const late: string[] = [];
      const control = new MqttClient(() => broker.connect(), { clientId: 'control-plane', reconnectPeriod: 0 });
      control.on('message', (topic) => late.push(topic));
      await control.subscribeAsync('#', { qos: 1 });
      await control.publishAsync(downTopic(OTHER, 'commands'), 'true', { qos: 1 });
      await expect.poll(() => messages).toEqual([`${downTopic(OTHER, 'commands')} true`]);
      await expect.poll(() => late).toEqual([downTopic(OTHER, 'commands')]);
      await other.endAsync();
      await broker.stop();
      await start({});
    });

    test('nobody speaks after he is gone', async () => {
      const { client: other, messages } = await boxClient(certificates.other, OTHER);
      await other.subscribeAsync(downTopic(OTHER, 'commands'), { qos: 1 });
      for (const topic of [downTopic(OTHER, 'commands'), upTopic(BOX, 'acks'), '$SYS/x/kick']) {
        const { client } = await boxClient(certificates.box, BOX, { will: { topic, payload: Buffer.from('will'), qos: 1, retain: true } });
        const closed = new Promise<void>((resolve) => client.once('close', resolve));
        client.stream.destroy();
        await closed;
      }
      await other.publishAsync(upTopic(OTHER, 'acks'), 'after', { qos: 1 });
      await expect.poll(() => heard).toEqual([[upTopic(OTHER, 'acks'), 'after']]);
      expect(messages).toEqual([]);
      expect(broker.counts.read().denied).toEqual({ will: 3 });
      await other.endAsync();
    });

    test('nobody is in twice: the one who came first goes', async () => {
      const first = await openBox();
      const closed = closeOf(first);
      await openBox();
      await closed;
    });
  });

  describe('with packets', () => {
    test('larger than the channel takes: they are acknowledged, and not passed on', async () => {
      const { client } = await boxClient(certificates.box, BOX);
      await client.publishAsync(upTopic(BOX, 'acks'), Buffer.alloc(64 * 1024 + 1), { qos: 1 });
      await client.publishAsync(upTopic(BOX, 'sightings'), Buffer.alloc(64 * 1024 + 1, 'x'), { qos: 1 });
      await expect.poll(() => heard.map(([topic]) => topic)).toEqual([`dead/v1/${BOX}`, upTopic(BOX, 'sightings')]);
      expect(heard[0]?.[1]).toContain('too large');
    });

    test.each([
      ['before it is let in', false, 5000],
      ['before it is let in, of the largest size', false, 268_435_455],
      ['afterwards', true, MIB],
      ['afterwards, of the largest size', true, 268_435_455],
    ])('that are announced as huge %s: the connection ends before they are gathered', async (_name, inside, bytes) => {
      const socket = inside ? await openBox() : await openTls(url(), certificates.box());
      const closed = closeOf(socket);
      const before = process.memoryUsage().arrayBuffers;
      socket.write(Buffer.concat([Buffer.from([inside ? 0x30 : 0x10]), lengthOf(bytes)]));
      socket.write(Buffer.alloc(64 * 1024));
      await closed;
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MIB);
    });

    test('of deep topics', async () => {
      const socket = await openBox();
      const closed = closeOf(socket);
      socket.write(publishPacket('a/'.repeat(30_000), Buffer.from('x'), { qos: 1 }));
      await closed;
    });

    test('of QoS 2 that it never releases: there is an end to it', async () => {
      const socket = await openBox();
      const closed = closeOf(socket);
      for (let messageId = 1; messageId <= 200; messageId += 1) {
        socket.write(publishPacket(upTopic(BOX, 'acks'), Buffer.from('x'), { qos: 2, messageId }));
      }
      await closed;
      expect(heard.length).toBeLessThanOrEqual(20);
    });

    test('of 10,000 subscriptions, and 10,000 packets of one: nobody else waits', async () => {
      const { client: other } = await boxClient(certificates.other, OTHER);
      const socket = await openBox();
      const filters = Array.from({ length: 2000 }, (_, number) => `edge/v1/${BOX}/down/${number}`);
      for (let part = 0; part < 5; part += 1) socket.write(subscribePacket(filters.slice(part * 400, part * 400 + 400)));
      for (let number = 0; number < 10_000; number += 1) socket.write(subscribePacket([`edge/v1/${number}/down/commands`]));
      socket.resume();
      const waits: number[] = [];
      for (let number = 0; number < 20; number += 1) {
        const sent = performance.now();
        await other.publishAsync(upTopic(OTHER, 'usage'), `${number}`, { qos: 1 });
        waits.push(performance.now() - sent);
      }
      expect(Math.max(...waits)).toBeLessThan(5000);
      await other.endAsync();
      socket.destroy();
    });

    test('of 5,000 messages at once: it is held to a pace, and nobody else waits', async () => {
      const { client: other } = await boxClient(certificates.other, OTHER);
      const socket = await openBox();
      const startedAt = performance.now();
      for (let messageId = 1; messageId <= 5000; messageId += 1) {
        socket.write(publishPacket(upTopic(BOX, 'telemetry'), Buffer.alloc(1000), { qos: 1, messageId }));
      }
      socket.resume();
      for (let number = 0; number < 20; number += 1) await other.publishAsync(upTopic(OTHER, 'usage'), `${number}`, { qos: 1 });
      await expect.poll(() => heard.filter(([topic]) => topic === upTopic(OTHER, 'usage')).length).toBe(20);
      const seconds = (performance.now() - startedAt) / 1000;
      expect(heard.filter(([topic]) => topic === upTopic(BOX, 'telemetry')).length).toBeLessThanOrEqual(400 + 200 * seconds + 1);
      await other.endAsync();
      socket.destroy();
    });

    test('of any bytes', async () => {
      const parts = fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 60 })).map(([first, body]) => packet(first, Buffer.from(body))),
        fc
          .tuple(fc.string(), fc.nat(3), fc.nat(65_535))
          .map(([topic, qos, messageId]) => publishPacket(topic, Buffer.from('x'), { qos, messageId })),
        fc.array(fc.string(), { maxLength: 4 }).map(subscribePacket),
        // Valid but for one byte.
        fc
          .tuple(
            fc.constantFrom(connectPacket(BOX), subscribePacket(['a', '#']), publishPacket('a', Buffer.from('x'))),
            fc.nat(60),
            fc.nat(255),
          )
          .map(([valid, at, byte]) => Buffer.from(valid).fill(byte, at % valid.length, (at % valid.length) + 1)),
        // Acknowledgements of what was never sent.
        fc
          .tuple(fc.constantFrom(0x40, 0x50, 0x62, 0x70, 0xb0, 0xa2), fc.nat(255))
          .map(([first, id]) => packet(first, Buffer.from([0, id]))),
      );
      await fc.assert(
        fc.asyncProperty(fc.boolean(), fc.array(parts, { minLength: 1, maxLength: 6 }), fc.boolean(), async (inside, bytes, slowly) => {
          const socket = inside ? await openBox() : await openTls(url(), certificates.box());
          if (slowly) for (const byte of Buffer.concat(bytes).subarray(0, 100)) socket.write(Buffer.from([byte]));
          else socket.write(Buffer.concat(bytes));
          socket.resume();
          socket.end();
          await closeOf(socket);
        }),
        { numRuns: 300 },
      );
      const said = heard.filter(([topic]) => topic.startsWith('edge/'));
      expect(said.filter(([topic]) => !topic.startsWith(`edge/v1/${BOX}/up/`))).toEqual([]);
    });
  });

  describe('with connections', () => {
    test('that say nothing: they end, and others get in meanwhile', async () => {
      const silent = await Promise.all(Array.from({ length: 20 }, () => openTls(url(), certificates.box())));
      const closed = Promise.all(silent.map((socket) => closeOf(socket.resume())));
      await expectService();
      await closed;
    });

    test('more than a network may have at a time', async () => {
      await broker.stop();
      await start({ limits: { ...ROOMY, connectionsEach: 5 } });
      const sockets = await Promise.all(Array.from({ length: 5 }, () => openTls(url(), certificates.box())));
      await expect(openTls(url(), certificates.box())).rejects.toThrow();
      const closed = sockets.map((socket) => closeOf(socket));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
      await broker.stop();
      await start({});
    });

    test('more than a network may open in a minute', async () => {
      await broker.stop();
      await start({ limits: { ...ROOMY, connectsAMinute: 3 } });
      for (let number = 0; number < 3; number += 1) (await openTls(url(), certificates.box())).destroy();
      await expect(openTls(url(), certificates.box())).rejects.toThrow();
      await broker.stop();
      await start({});
    });
  });
});

/** Its end, whether it ends with an error or without. */
function closeOf(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
