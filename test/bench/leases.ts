import { fork } from 'node:child_process';
import { createPublicKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { keyHash } from '../../cloud/fleet/pki/key-hash.ts';
import { MqttUplink } from '../../edge/link/mqtt-uplink.ts';
import { newId } from '../../shared/ids/ids.ts';
import { adminSet, signAssignment, signSet, TestDevice, TestKms, TestSigner } from '../helpers/kms.ts';
import { QuickCa } from './broker/make-certificates.ts';
import { BenchBox } from './fleet/bench-box.ts';
import type { CloudAnswer, CloudRequest, CloudSetup } from './leases/cloud-process.ts';
import { describeMachine } from './report/describe-machine.ts';

// The morning after an outage: all boxes are back, and ask for all their leases in the same moment. Control plane with
// broker, and KMS (its keys in software), are processes as in production; all boxes together are this one.
const BOXES = Number(process.env.BOXES ?? 1000);
/** Leases that each box asks for at once. */
const LEASES = 10;
/** What concerns one tenant, the KMS does one after the other. */
const TENANTS = 10;
const PATIENCE_MS = 600_000;
/** Between two commands. */
const COMMAND_EVERY_MS = 50;
/** Commands while nothing else happens. */
const CALM_COMMANDS = 200;
const TELL_EVERY_MS = 10_000;
const MANY = 1_000_000;

const logger = pino({ level: 'silent' });
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'securegate-bench-leases-'));
const cloud = fork(join(import.meta.dirname, 'leases/cloud-process.ts'));

async function ask(request: CloudRequest): Promise<CloudAnswer> {
  cloud.send(request);
  return ((await once(cloud, 'message')) as [CloudAnswer])[0];
}

function newKms(): TestKms {
  const file = join(folder, 'master.key');
  writeFileSync(file, randomBytes(32), { mode: 0o600 });
  const trustedKeys = join(folder, 'trusted');
  const hsm = { driver: 'software', keystore: join(folder, 'keystore'), trustedKeys, masterKey: { file } };
  const config = {
    dataDir: join(folder, 'data'),
    socket: join(folder, 'run/kms.sock'),
    hsm,
    limits: { exportsPerTenant: MANY, exportsPerDevice: MANY },
  };
  writeFileSync(join(folder, 'kms.json'), JSON.stringify(config));
  return new TestKms(folder, { driver: 'software', trustedKeys }, undefined);
}

/** Commands to boxes, one after the other, each timed from the order to the box that does it, for as long as it is wanted. */
async function command(boxes: readonly { readonly device: string; readonly box: BenchBox }[], goesOn: (given: number) => boolean) {
  const trips: number[] = [];
  const coming: Promise<void>[] = [];
  for (let given = 0; goesOn(given); given += 1) {
    const { device, box } = boxes[given % boxes.length] as (typeof boxes)[number];
    const startedAt = performance.now();
    const { promise, resolve } = Promise.withResolvers<void>();
    box.onSync = () => {
      trips.push(performance.now() - startedAt);
      resolve();
    };
    coming.push(promise);
    cloud.send({ do: 'command', device } satisfies CloudRequest);
    await pause(COMMAND_EVERY_MS);
  }
  await Promise.race([Promise.all(coming), pause(30_000)]);
  return { trips, lost: coming.length - trips.length };
}

async function until(holds: () => boolean, what: () => string): Promise<number> {
  const startedAt = performance.now();
  while (!holds()) {
    if (performance.now() - startedAt > PATIENCE_MS) throw new Error(what());
    await pause(20);
  }
  return performance.now() - startedAt;
}

function without(boxes: readonly { readonly box: BenchBox }[]): number {
  return boxes.filter(({ box }) => !box.connected).length;
}

function quantile(values: readonly number[], part: number): number {
  return Math.round([...values].sort((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN);
}

const kms = newKms();
try {
  await kms.start();
  const [admin, device] = [new TestSigner(), new TestDevice()];
  const pemFile = join(folder, 'device.pem');
  writeFileSync(pemFile, device.pem);
  await kms.officer({ do: 'add', pemFile });
  const { client } = kms;
  await client.call('pinAdmins', { org: 'acme', signed: await signSet(adminSet('acme', 1, [admin], [admin], 1, 1), [admin]) });
  for (let at = 0; at < TENANTS; at += 1) await client.call('createEpoch', { org: 'acme', tenant: `hall-${at}`, epoch: 1 });

  say(`making and assigning ${BOXES} boxes`);
  const ca = await QuickCa.make();
  const server = await ca.issue('broker');
  const publicKey = device.signer.jwk;
  const setup: CloudSetup = {
    ...{ cert: server.cert, key: server.key.toString(), ca: ca.pem },
    ...{ brokerFile: join(folder, 'broker.db'), storeFile: join(folder, 'cloud.db'), kmsSocket: kms.socket },
    signingKey: keyHash(createPublicKey({ key: publicKey, format: 'jwk' })),
  };
  const { port } = await ask({ do: 'start', setup });
  const commandKeys = [await client.call('signingKey', { use: 'commands' })];
  const boxes: { device: string; box: BenchBox }[] = [];
  let leased = 0;
  for (let made = 0; made < BOXES; made += 1) {
    const id = newId('box');
    const tenant = `hall-${made % TENANTS}`;
    // One key for all: what is made for each box is not what is measured.
    const assignment = await signAssignment(admin, { ...(await device.claims('acme', tenant)), sub: id });
    await client.call('assign', { assignment });
    const credentials = await ca.issue(id);
    const uplink = new MqttUplink({
      url: () => new URL(`mqtts://127.0.0.1:${port}`),
      device: id,
      credentials: () => ({ ...credentials, key: Buffer.from(credentials.key) }),
      random: Math.random,
      logger,
    });
    const box = new BenchBox({
      device: id,
      uplink,
      commandKeys,
      key: { privateKey: device.signer.privateKey, publicKey },
      tenants: Array.from({ length: LEASES }, () => tenant),
      onLease: () => {
        leased += 1;
      },
      logger,
    });
    boxes.push({ device: id, box });
  }
  for (const { box } of boxes) await box.start();
  await until(
    () => boxes.every(({ box }) => box.connected),
    () => 'not all boxes connected',
  );

  say('commands while nothing else happens');
  const calm = await command(boxes, (given) => given < CALM_COMMANDS);
  const before = await ask({ do: 'measure' });

  const wanted = BOXES * LEASES;
  say(`${wanted} leases at once, and commands meanwhile`);
  for (const { box } of boxes) box.renew();
  const startedAt = performance.now();
  const busy = command(boxes, () => leased < wanted);
  let told = 0;
  await until(
    () => {
      const passed = Math.floor((performance.now() - startedAt) / TELL_EVERY_MS);
      if (passed > told) say(`  ${leased} after ${(passed * TELL_EVERY_MS) / 1000} s, ${without(boxes)} boxes without a connection`);
      told = passed;
      return leased >= wanted;
    },
    () => `only ${leased} of ${wanted} leases came`,
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const { trips, lost } = await busy;
  const after = await ask({ do: 'measure' });
  const audit = await kms.audit();
  const askedFor = (operation: string): number => audit.filter((line) => line.operation === operation && line.phase === 'answered').length;

  const result = {
    machine: describeMachine(),
    leases: leased,
    seconds: Number(seconds.toFixed(1)),
    leasesASecond: Math.round(leased / seconds),
    challenges: askedFor('challenge'),
    exports: askedFor('exportTek'),
    commandMs: {
      calm: { p50: quantile(calm.trips, 0.5), p99: quantile(calm.trips, 0.99) },
      p50: quantile(trips, 0.5),
      p99: quantile(trips, 0.99),
    },
    commands: trips.length,
    lost: lost + calm.lost,
    rssMib: { before: before.rssMib, most: after.mostRssMib, after: after.rssMib },
    cpuMsALease: Number(((after.cpuMs - before.cpuMs) / leased).toFixed(2)),
  };
  const { commandMs, rssMib } = result;
  process.stdout.write(
    [
      `${result.leases} leases asked for at once: all there after ${result.seconds} s, ${result.leasesASecond} a second (the KMS was asked ${result.challenges} + ${result.exports} times)`,
      `a command meanwhile: p50 ${commandMs.p50} ms, p99 ${commandMs.p99} ms (with nothing else to do ${commandMs.calm.p50} and ${commandMs.calm.p99} ms); ${result.lost} of ${result.commands} lost`,
      `memory of the control plane: ${rssMib.before} MiB before, ${rssMib.most} MiB at most, ${rssMib.after} MiB after; ${result.cpuMsALease} ms CPU a lease`,
      '',
    ].join('\n'),
  );
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.lost === 0 ? 0 : 1;
  await Promise.all(boxes.map(({ box }) => box.stop()));
} finally {
  kms.client.close();
  await kms.stop('SIGKILL');
  cloud.kill();
  rmSync(folder, { recursive: true, force: true });
}
