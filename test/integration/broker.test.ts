import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { connectAsync, type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Broker } from '../../cloud/broker/broker.ts';
import { MqttCourier } from '../../cloud/fleet/mqtt-courier.ts';
import { brokerUserOf } from '../../cloud/fleet/pki/device-subject.ts';
import { ANSWERS, DynamicSecurity } from '../../cloud/fleet/rights/dynamic-security.ts';
import { firstRights } from '../../cloud/fleet/rights/first-rights.ts';
import { MqttUplink } from '../../edge/link/mqtt-uplink.ts';
import { type DownChannel, downTopic, type UpChannel, upTopic } from '../../shared/fleet/topics.ts';
import { newId } from '../../shared/ids/ids.ts';
import { type ClientCredentials, openBroker } from '../../shared/mqtt/open-broker.ts';
import { BrokerCa } from '../helpers/broker-ca.ts';
import { freePort } from '../helpers/free-port.ts';
import { hasMosquitto, Mosquitto } from '../helpers/mosquitto.ts';
import { hasOpenssl, TestCa } from '../helpers/test-ca.ts';

const logger = pino({ level: 'silent' });
const [CONTROL_PLANE, SECOND_CONTROL_PLANE] = ['control-plane', 'control-plane-2'];
const [BOX, OTHER] = [newId('box'), newId('box')];
/** Hash of the keys of both. */
const KEY = 'A'.repeat(43);

/** A broker as the two drivers meet it. */
interface BrokerAtWork {
  start(): Promise<void>;
  stop(): Promise<void>;
  hang?(): Promise<void>;
  /** Where the broker does not ask. */
  letIn?(devices: readonly string[]): Promise<void>;
  readonly port: number;
  courier(as: string): MqttCourier;
}

const BROKERS: Record<string, (ca: BrokerCa) => Promise<BrokerAtWork>> = {
  embedded: async (ca) => {
    const port = await freePort();
    let broker = newBroker();
    function newBroker(): Broker {
      return new Broker({
        listen: { host: '127.0.0.1', port },
        certificates: () => ca.door(),
        devices: { isAllowed: async (device) => !kicked.has(device) },
        controlPlane: CONTROL_PLANE,
        file: join(ca.folder, 'broker.db'),
        now: Date.now,
        logger,
      });
    }
    const kicked = new Set<string>();
    return {
      start: async () => {
        broker = newBroker();
        await broker.start();
      },
      stop: () => broker.stop(),
      port,
      courier: (name) =>
        new MqttCourier({
          open: () => broker.connect(),
          name,
          kick: async (device) => {
            kicked.add(device);
            await broker.kick(device);
          },
          random: Math.random,
          logger,
        }),
    };
  },
  ...(hasMosquitto && {
    mosquitto: async (ca) => {
      const [port, controlPlanes] = [await freePort(), [CONTROL_PLANE, SECOND_CONTROL_PLANE]];
      const rights = join(ca.folder, 'dynamic-security.json');
      writeFileSync(rights, JSON.stringify(firstRights(controlPlanes)));
      const { cert: certificate, key } = ca.server;
      const broker = new Mosquitto({ folder: ca.folder, port, certificate, key, authorities: ca.ca.file, rights });
      const credentials = new Map(controlPlanes.map((name) => [name, ca.credentials(name)]));
      const connect = (name: string, onConnect: () => void = () => undefined): { courier: MqttCourier; security: DynamicSecurity } => {
        const security = new DynamicSecurity((topic, payload) => courier.administer(topic, payload));
        const courier: MqttCourier = new MqttCourier({
          open: () => openBroker(urlOf(port), (credentials.get(name) as () => ClientCredentials)()),
          name,
          kick: (device) => security.shutOut(brokerUserOf(device, KEY)),
          administration: { topic: ANSWERS, onMessage: (payload) => security.hear(payload), onConnect },
          random: Math.random,
          logger,
        });
        return { courier, security };
      };
      return {
        start: () => broker.start(),
        stop: () => broker.stop(),
        hang: () => broker.hang(),
        letIn: async (devices) => {
          const { promise: connected, resolve } = Promise.withResolvers<void>();
          const { courier, security } = connect(CONTROL_PLANE, resolve);
          courier.start();
          await connected;
          for (const device of devices) await security.letIn(device, brokerUserOf(device, KEY));
          await courier.stop();
        },
        port,
        courier: (name) => connect(name).courier,
      };
    },
  }),
};

describe.skipIf(!hasOpenssl).each(Object.keys(BROKERS))('boxes and the control plane over the %s broker', (name) => {
  let ca: BrokerCa;
  let broker: BrokerAtWork;
  const certificates = new Map<string, () => ClientCredentials>();

  beforeAll(async () => {
    ca = new BrokerCa();
    for (const device of [BOX, OTHER]) certificates.set(device, ca.ofDevice(device, KEY));
    broker = await (BROKERS[name] as (ca: BrokerCa) => Promise<BrokerAtWork>)(ca);
    await broker.start();
    await broker.letIn?.([BOX, OTHER]);
  });
  afterAll(async () => {
    await broker.stop();
    ca.remove();
  });

  /** A box with what it has heard. */
  function startBox(device: string) {
    const heard: [DownChannel, string][] = [];
    const uplink = new MqttUplink({
      url: () => urlOf(broker.port),
      device,
      credentials: certificates.get(device) as () => ClientCredentials,
      random: Math.random,
      logger,
    });
    uplink.onMessage(async (channel, payload) => void heard.push([channel, payload.toString()]));
    onTestFinished(() => uplink.stop());
    return { uplink, heard };
  }

  /** The control plane with what it has heard. */
  function startCourier(handle: (device: string, text: string) => Promise<void> = async () => undefined, as = CONTROL_PLANE) {
    const heard: [string, UpChannel, string][] = [];
    const courier = broker.courier(as);
    courier.onMessage(async (device, channel, payload) => {
      await handle(device, payload.toString());
      heard.push([device, channel, payload.toString()]);
    });
    onTestFinished(async () => {
      await settled(courier).catch(() => undefined);
      await courier.stop();
    });
    courier.start();
    return { courier, heard };
  }

  /** The broker has heard what was acknowledged until now, and brings it to nobody again: it takes one thing after the other. */
  const settled = (courier: MqttCourier): Promise<void> => courier.send(OTHER, 'replies', Buffer.from('and so on'));

  test('both speak to each other, each box on its own', async () => {
    const { courier, heard } = startCourier();
    const [one, two] = [startBox(BOX), startBox(OTHER)];
    one.uplink.onConnect(() => one.uplink.publish('hello', Buffer.from('here')));
    await expect.poll(() => courier.problem).toBeNull();
    one.uplink.start();
    two.uplink.start();
    await expect.poll(() => [one.uplink.problem, two.uplink.problem]).toEqual([null, null]);
    await expect.poll(() => heard).toEqual([[BOX, 'hello', 'here']]);
    await courier.send(OTHER, 'commands', Buffer.from('two'));
    await courier.send(BOX, 'replies', Buffer.from('one'));
    await expect.poll(() => [one.heard, two.heard]).toEqual([[['replies', 'one']], [['commands', 'two']]]);
  });

  test('a handler may itself publish and wait for it', async () => {
    const { courier, heard } = startCourier();
    const { uplink } = startBox(BOX);
    uplink.onMessage((_channel, payload) => uplink.publish('acks', payload));
    uplink.start();
    await expect.poll(() => [courier.problem, uplink.problem]).toEqual([null, null]);
    await Promise.all([1, 2, 3].map((number) => courier.send(BOX, 'commands', Buffer.from(`${number}`))));
    await expect.poll(() => heard.map(([, , text]) => text).sort()).toEqual(['1', '2', '3']);
  });

  test('what the control plane could not handle comes again; what it has handled does not', async () => {
    let fails = true;
    const { courier, heard } = startCourier(async (_device, text) => {
      if (text === 'difficult' && fails) throw new Error('the database is away');
    });
    const { uplink } = startBox(BOX);
    uplink.start();
    await expect.poll(() => [courier.problem, uplink.problem]).toEqual([null, null]);
    await uplink.publish('acks', Buffer.from('easy'));
    await expect.poll(() => heard).toHaveLength(1);
    await settled(courier);
    await uplink.publish('acks', Buffer.from('difficult'));
    await expect.poll(() => courier.problem).not.toBeNull();
    fails = false;
    await expect.poll(() => heard.map(([, , text]) => text)).toEqual(['easy', 'difficult']);
  });

  test('what the control plane had in hand when it and the broker stopped comes again', async () => {
    const { promise: stuck, resolve: onStuck } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const first = startCourier(() => {
      onStuck();
      return released;
    });
    const { uplink } = startBox(BOX);
    uplink.start();
    await expect.poll(() => [first.courier.problem, uplink.problem]).toEqual([null, null]);
    await uplink.publish('acks', Buffer.from('in hand'));
    await stuck;
    await broker.stop();
    await broker.start();
    release();
    await first.courier.stop();
    const second = startCourier();
    await expect.poll(() => second.heard).toEqual([[BOX, 'acks', 'in hand']]);
  });

  test('what is said while the control plane is away waits for it; what is said to a box that is away does not', async () => {
    const first = startCourier();
    const { uplink, heard } = startBox(BOX);
    uplink.start();
    await expect.poll(() => [first.courier.problem, uplink.problem]).toEqual([null, null]);
    await first.courier.stop();
    await uplink.publish('usage', Buffer.from('meanwhile'));
    await uplink.stop();
    const second = startCourier();
    await expect.poll(() => second.heard).toEqual([[BOX, 'usage', 'meanwhile']]);
    await second.courier.send(BOX, 'commands', Buffer.from('lost'));
    const again = startBox(BOX);
    again.uplink.start();
    await expect.poll(() => again.uplink.problem).toBeNull();
    await second.courier.send(BOX, 'commands', Buffer.from('heard'));
    await expect.poll(() => again.heard).toEqual([['commands', 'heard']]);
    expect(heard).toEqual([]);
  });

  test('without a broker a message is refused at once with the reason; with one again, the box says hello again', async () => {
    const { courier, heard } = startCourier();
    const { uplink } = startBox(BOX);
    uplink.onConnect(() => uplink.publish('hello', Buffer.from('here')));
    uplink.start();
    await expect.poll(() => [courier.problem, heard.length]).toEqual([null, 1]);
    await broker.stop();
    await expect.poll(() => uplink.problem).not.toBeNull();
    const refused = uplink.publish('usage', Buffer.from('x')).catch((error: unknown) => error);
    // At once: before anything else of this process has its turn.
    expect(await Promise.race([refused, turn()])).toMatchObject({ code: 'broker_unavailable' });
    await expect.poll(() => uplink.problem).toMatch(/ECONNREFUSED/);
    await broker.start();
    await expect.poll(() => heard.length, { timeout: 25_000 }).toBe(2);
  });

  test('a box speaks to no broker of another authority and says why; with a certificate that is renewed it goes on', async () => {
    const rogue = new TestCa(ca.folder, `Rogue of ${name}`);
    const right = certificates.get(BOX) as () => ClientCredentials;
    let authority = rogue.pem;
    const uplink = new MqttUplink({
      url: () => urlOf(broker.port),
      device: BOX,
      credentials: () => ({ ...right(), ca: authority }),
      random: () => 0,
      logger,
    });
    onTestFinished(() => uplink.stop());
    uplink.start();
    await expect.poll(() => uplink.problem).toMatch(/certificate/);
    authority = ca.ca.pem;
    await expect.poll(() => uplink.problem).toBeNull();
    authority = rogue.pem;
    uplink.renew();
    await expect.poll(() => uplink.problem).toMatch(/certificate/);
  });

  test('a link stops within seconds, whatever its handler does', async () => {
    const { courier } = startCourier();
    const { uplink } = startBox(BOX);
    const { promise: never, resolve: end } = Promise.withResolvers<void>();
    const { promise: stuck, resolve: onStuck } = Promise.withResolvers<void>();
    uplink.onMessage(() => {
      onStuck();
      return never;
    });
    uplink.start();
    await expect.poll(() => [courier.problem, uplink.problem]).toEqual([null, null]);
    await courier.send(BOX, 'commands', Buffer.from('x'));
    await stuck;
    const stopping = performance.now();
    await uplink.stop();
    expect(performance.now() - stopping).toBeLessThan(20_000);
    end();
  });

  test('a box may say and hear nothing but its own, and its connection goes on', async () => {
    const { courier, heard } = startCourier();
    await expect.poll(() => courier.problem).toBeNull();
    const [other, rogue] = [startBox(OTHER), await rawBox(BOX)];
    other.uplink.start();
    await expect.poll(() => other.uplink.problem).toBeNull();
    await rogue.publishAsync(upTopic(OTHER, 'acks'), 'forged', { qos: 1 });
    await rogue.publishAsync(downTopic(OTHER, 'commands'), 'forged', { qos: 1 });
    for (const filter of ['#', '+/+/+/+/+', 'edge/v1/+/down/commands', downTopic(OTHER, 'commands'), '$SYS/#', upTopic(OTHER, 'acks')]) {
      await expect(rogue.subscribeAsync(filter, { qos: 1 })).rejects.toThrow();
    }
    const overheard: string[] = [];
    rogue.on('message', (topic) => overheard.push(topic));
    await courier.send(OTHER, 'commands', Buffer.from('secret'));
    await rogue.publishAsync(upTopic(BOX, 'acks'), 'mine', { qos: 1 });
    await expect.poll(() => heard).toEqual([[BOX, 'acks', 'mine']]);
    await expect.poll(() => other.heard).toEqual([['commands', 'secret']]);
    expect(overheard).toEqual([]);
  });

  test('a kicked box is gone at once and is not heard any more; the others stay', async () => {
    const { courier, heard } = startCourier();
    const [one, two] = [startBox(BOX), startBox(OTHER)];
    one.uplink.start();
    two.uplink.start();
    await expect.poll(() => [courier.problem, one.uplink.problem, two.uplink.problem]).toEqual([null, null, null]);
    await courier.kick(BOX);
    await expect.poll(() => one.uplink.problem).not.toBeNull();
    expect(two.uplink.problem).toBeNull();
    await expect.poll(() => one.uplink.problem).toMatch(/Not authorized|Subscribe error/);
    await expect(one.uplink.publish('acks', Buffer.from('late'))).rejects.toMatchObject({ code: 'broker_unavailable' });
    await two.uplink.publish('acks', Buffer.from('still here'));
    await expect.poll(() => heard).toEqual([[OTHER, 'acks', 'still here']]);
  });

  // The embedded one is a part of the process that it serves: it cannot hang alone, and has one control plane.
  if (name === 'mosquitto') {
    test('what was sent and not acknowledged fails as soon as the connection is lost', async () => {
      const { uplink } = startBox(OTHER);
      uplink.start();
      await expect.poll(() => uplink.problem).toBeNull();
      await broker.hang?.();
      const sent = uplink.publish('acks', Buffer.from('in vain'));
      const [error] = await Promise.all([sent.catch((reason: unknown) => reason), broker.stop()]);
      // And not for having waited for an answer long enough.
      expect(error).toMatchObject({ code: 'broker_unavailable', message: expect.not.stringContaining('in time') });
      await broker.start();
    });

    test('two control planes both hear every box, and each is heard; one goes and the other goes on', async () => {
      const [one, two] = [startCourier(), startCourier(undefined, SECOND_CONTROL_PLANE)];
      const box = startBox(OTHER);
      box.uplink.start();
      await expect.poll(() => [one.courier.problem, two.courier.problem, box.uplink.problem]).toEqual([null, null, null]);
      await box.uplink.publish('acks', Buffer.from('to both'));
      await expect.poll(() => [one.heard, two.heard]).toEqual([[[OTHER, 'acks', 'to both']], [[OTHER, 'acks', 'to both']]]);
      await one.courier.stop();
      await two.courier.send(OTHER, 'commands', Buffer.from('by the second'));
      await expect.poll(() => box.heard).toEqual([['commands', 'by the second']]);
    });
  }

  /** A client that keeps to no rule of ours. */
  async function rawBox(device: string): Promise<MqttClient> {
    const { ca: authority, cert, key } = (certificates.get(device) as () => ClientCredentials)();
    const client = await connectAsync({
      protocol: 'mqtts',
      host: '127.0.0.1',
      port: broker.port,
      clientId: device,
      ca: authority,
      cert,
      key,
      reconnectPeriod: 0,
    });
    client.on('error', () => undefined);
    onTestFinished(() => void client.end(true));
    return client;
  }
});

function urlOf(port: number): URL {
  return new URL(`mqtts://127.0.0.1:${port}`);
}
