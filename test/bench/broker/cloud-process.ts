import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { Broker } from '../../../cloud/broker/broker.ts';
import { MqttCourier } from '../../../cloud/fleet/mqtt-courier.ts';
import { openBroker } from '../../../shared/mqtt/open-broker.ts';

export interface CloudSetup {
  /** Of a broker that stands apart, which knows the process by its certificate; without it the process has its own. */
  readonly url?: string;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly file: string;
}
export type CloudRequest =
  | { readonly do: 'start'; readonly setup: CloudSetup; readonly port: number }
  | { readonly do: 'stop' }
  | { readonly do: 'measure' }
  /** A command to each of these boxes, so many under way at a time. */
  | { readonly do: 'command'; readonly devices: readonly string[]; readonly atATime: number };
export interface CloudAnswer {
  readonly port: number;
  readonly rssMib: number;
  readonly cpuMs: number;
  /** Milliseconds from sending a command to its acknowledgement. */
  readonly trips: readonly number[];
  readonly lost: number;
}

const LOST_MS = 30_000;
const MANY = 100_000;
const logger = pino({ level: 'silent' });
const waiting = new Map<string, () => void>();
let broker: Broker | undefined;
let courier: MqttCourier | undefined;

async function start(setup: CloudSetup, port: number): Promise<void> {
  const { url, cert, key, ca } = setup;
  const own = url === undefined ? await startBroker(setup, port) : undefined;
  broker = own;
  courier = new MqttCourier({
    open: () => own?.connect() ?? openBroker(new URL(url ?? ''), { cert, ca, key: Buffer.from(key) }),
    name: 'control-plane',
    kick: async (device) => own?.kick(device),
    random: Math.random,
    logger,
  });
  courier.onMessage(async (_device, _channel, payload) => waiting.get(payload.toString())?.());
  courier.start();
  while (courier.problem !== null) await pause(10);
}

async function startBroker({ cert, key, ca, file }: CloudSetup, port: number): Promise<Broker> {
  const started = new Broker({
    listen: { host: '127.0.0.1', port },
    certificates: () => ({ cert, key: Buffer.from(key), ca: [ca] }),
    devices: { isAllowed: async () => true },
    controlPlane: 'control-plane',
    file,
    // They all come from one address here.
    limits: { connectionsEach: MANY, connectsAMinute: MANY, connections: MANY },
    now: Date.now,
    logger,
  });
  await started.start();
  return started;
}

async function command(devices: readonly string[], atATime: number): Promise<Pick<CloudAnswer, 'trips' | 'lost'>> {
  const trips: number[] = [];
  const left = [...devices];
  const work = async (): Promise<void> => {
    for (let device = left.pop(); device !== undefined; device = left.pop()) {
      const sentAt = performance.now();
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => resolve(false), LOST_MS);
      waiting.set(device, () => resolve(true));
      await courier?.send(device, 'commands', Buffer.from(device));
      if (await promise) trips.push(performance.now() - sentAt);
      clearTimeout(timer);
      waiting.delete(device);
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return { trips, lost: devices.length - trips.length };
}

process.on('message', async (request: CloudRequest) => {
  let result: Pick<CloudAnswer, 'trips' | 'lost'> = { trips: [], lost: 0 };
  if (request.do === 'start') await start(request.setup, request.port);
  else if (request.do === 'command') result = await command(request.devices, request.atATime);
  else if (request.do === 'stop') {
    await courier?.stop();
    await broker?.stop();
  }
  const { user, system } = process.cpuUsage();
  const rssMib = Math.round(process.memoryUsage().rss / 1024 / 1024);
  process.send?.({ port: broker?.port ?? 0, rssMib, cpuMs: Math.round((user + system) / 1000), ...result } satisfies CloudAnswer);
});
