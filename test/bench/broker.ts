import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { MqttUplink } from '../../edge/link/mqtt-uplink.ts';
import { newId } from '../../shared/ids/ids.ts';
import type { CloudAnswer, CloudRequest, CloudSetup } from './broker/cloud-process.ts';
import { QuickCa } from './broker/make-certificates.ts';
import { startMosquitto } from './broker/start-mosquitto.ts';
import { processUse } from './fleet/process-use.ts';
import { describeMachine } from './report/describe-machine.ts';

// A broker with many boxes, each with its own certificate and the product's own link: that of the control plane, which is a process, or
// (`--broker mosquitto`) Debian's mosquitto beside it. All boxes together are this process.
const BOXES = Number(process.env.BOXES ?? 1000);
const AT_A_TIME = 16;
const ROUNDS = 3;
const PATIENCE_MS = 150_000;

const BROKERS = ['embedded', 'mosquitto'] as const;
const { values: chosen } = parseArgs({
  options: { broker: { type: 'string', default: 'embedded' }, json: { type: 'boolean', default: false } },
});
const name = BROKERS.find((one) => one === chosen.broker);
if (name === undefined) throw new Error(`--broker is one of ${BROKERS.join(', ')}`);

const logger = pino({ level: 'silent' });
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'securegate-bench-broker-'));
const cloud = fork(join(import.meta.dirname, 'broker/cloud-process.ts'));

async function ask(request: CloudRequest): Promise<CloudAnswer> {
  cloud.send(request);
  const [answer] = (await once(cloud, 'message')) as [CloudAnswer];
  return answer;
}

/** Milliseconds until no box is without a connection. */
async function untilAllConnected(boxes: readonly MqttUplink[]): Promise<number> {
  const startedAt = performance.now();
  while (boxes.some(({ problem }) => problem !== null)) {
    if (performance.now() - startedAt > PATIENCE_MS) {
      throw new Error(`${boxes.filter(({ problem }) => problem !== null).length} boxes have no connection`);
    }
    await pause(20);
  }
  return performance.now() - startedAt;
}

function quantile(values: readonly number[], part: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN;
}

try {
  say(`making ${BOXES} certificates`);
  const ca = await QuickCa.make();
  const devices = Array.from({ length: BOXES }, () => newId('box'));
  const apart = name === 'mosquitto' ? await startMosquitto(folder, ca, devices) : undefined;
  const shown = await ca.issue(apart ? 'control-plane' : 'broker');
  const setup: CloudSetup = {
    ...{ cert: shown.cert, key: shown.key.toString(), ca: ca.pem, file: join(folder, 'broker.db') },
    ...(apart ? { url: `mqtts://127.0.0.1:${apart.port}` } : {}),
  };
  const started = await ask({ do: 'start', setup, port: 0 });
  const port = apart?.port ?? started.port;
  const use = async (): Promise<{ cpuMs: number; rssMib: number }> => {
    const { cpuMs, rssMib } = await ask({ do: 'measure' });
    const broker = apart && processUse(apart.mosquitto.pid);
    return { cpuMs: cpuMs + (broker?.cpuMs ?? 0), rssMib: broker?.rssMib ?? rssMib };
  };
  const { rssMib: rssEmpty } = await use();
  const boxes: MqttUplink[] = [];
  for (const device of devices) {
    const { key, ...rest } = await ca.issue(device);
    const uplink = new MqttUplink({
      url: () => new URL(`mqtts://127.0.0.1:${port}`),
      device,
      credentials: () => ({ ...rest, key: Buffer.from(key) }),
      random: Math.random,
      logger,
    });
    uplink.onMessage((_channel, payload) => uplink.publish('acks', payload));
    boxes.push(uplink);
  }

  say('all boxes connect at once');
  for (const box of boxes) box.start();
  const connectMs = await untilAllConnected(boxes);
  const { rssMib, cpuMs: before } = await use();

  say(`a command to each, ${AT_A_TIME} at a time`);
  const startedAt = performance.now();
  const trips: number[] = [];
  let lost = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const answer = await ask({ do: 'command', devices, atATime: AT_A_TIME });
    trips.push(...answer.trips);
    lost += answer.lost;
  }
  const cpuMs = (await use()).cpuMs - before;
  const commandsMs = performance.now() - startedAt;

  say('the broker restarts');
  await ask({ do: 'stop' });
  await apart?.mosquitto.stop();
  await pause(1000);
  await apart?.mosquitto.start();
  await ask({ do: 'start', setup, port });
  const stormMs = await untilAllConnected(boxes);
  const after = await ask({ do: 'command', devices, atATime: AT_A_TIME });
  lost += after.lost;
  const { rssMib: rssMibAfterRestart } = await use();

  const result = {
    machine: describeMachine(),
    broker: name,
    boxes: BOXES,
    connectsASecond: Math.round((BOXES * 1000) / connectMs),
    rssMib,
    kibABox: Math.round(((rssMib - rssEmpty) * 1024) / BOXES),
    commandsASecond: Math.round((trips.length * 1000) / commandsMs),
    cpuMsACommand: Number((cpuMs / trips.length).toFixed(2)),
    tripMs: { p50: Math.round(quantile(trips, 0.5)), p99: Math.round(quantile(trips, 0.99)) },
    secondsToReconnect: Number((stormMs / 1000).toFixed(1)),
    rssMibAfterRestart,
    lost,
  };
  process.stdout.write(
    [
      `${result.boxes} boxes with mTLS connect: ${result.connectsASecond} a second`,
      `memory of ${apart ? 'mosquitto' : 'the control plane with its broker'}: ${result.rssMib} MiB, ${result.kibABox} KiB a box; ${result.rssMibAfterRestart} MiB after the restart`,
      `a command and its acknowledgement: p50 ${result.tripMs.p50} ms, p99 ${result.tripMs.p99} ms at ${result.commandsASecond} a second, ${result.cpuMsACommand} ms CPU each`,
      `all back ${result.secondsToReconnect} s after a restart of the broker; ${result.lost} commands lost`,
      '',
    ].join('\n'),
  );
  if (chosen.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = lost === 0 ? 0 : 1;
  await Promise.all(boxes.map((box) => box.stop()));
  await ask({ do: 'stop' });
  await apart?.mosquitto.stop();
} finally {
  cloud.kill();
  rmSync(folder, { recursive: true, force: true });
}
