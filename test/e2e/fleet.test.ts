import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { openCloud } from '../../provisioning/cloud/open-cloud.ts';
import { type CloudClient, contentOf } from '../../shared/cloud-client/create-cloud-client.ts';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { freePort } from '../helpers/free-port.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));
const PATIENTLY = { timeout: 60_000, interval: 100 };

beforeAll(async () => {
  await embeddedModels();
}, 120_000);

/** A command of `securegate`. @returns what it printed */
async function run(args: readonly string[], input = '', env = {}): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: 'pipe', env: { ...process.env, ...env } });
  child.stdin.end(input);
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(child.exitCode, error).toBe(0);
  return out.trim();
}

/** `securegate cloud up`: the control plane with its broker, and its KMS, on SoftHSM2 where that is installed. */
class Cloud {
  readonly config: string;
  readonly #args: readonly string[];
  #up: ChildProcess | undefined;

  constructor(data: string, ports: Readonly<Record<string, number>>) {
    this.config = join(data, 'cloud.json');
    this.#args = ['--data', data, ...Object.entries(ports).flatMap(([name, port]) => [name, String(port)])];
  }

  async start(): Promise<void> {
    const up = spawn(process.execPath, [MAIN, 'cloud', 'up', ...this.#args], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#up = up;
    let told = '';
    up.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString();
    });
    await expect.poll(() => told, PATIENTLY).toContain('The control plane answers at');
  }

  async stop(): Promise<void> {
    if (this.#up === undefined || this.#up.exitCode !== null) return;
    const gone = once(this.#up, 'exit');
    this.#up.kill('SIGTERM');
    await gone;
  }
}

test('a box that enrols while it runs is leased its tenant, told what to do, does it once whoever crashes, and is out when it is denied', async () => {
  const folder = await tempFolder();
  const at = (name: string): string => join(folder, name);
  const [port, fleetPort, brokerPort] = [await freePort(), await freePort(), await freePort()];
  const cloud = new Cloud(at('cloud'), { '--port': port, '--fleet-port': fleetPort, '--broker-port': brokerPort });
  onTestFinished(() => cloud.stop());
  const keys = ['ada.pem', 'safe.pem'].map((key) => run(['org-keys', 'new', at(key)]));
  await cloud.start();

  // The org with its admin and a tenant.
  const { config } = cloud;
  const [org, tenant] = ['acme', 'hall'];
  const path = { org };
  const operator = await openCloud({ config });
  await operator.POST('/v1/orgs', { body: { id: org, name: 'Acme', jurisdiction: 'CH' } });
  const named = operator.POST('/v1/orgs/{org}/first-admin', { params: { path }, body: { name: 'Ada', email: 'ada@acme.example' } });
  const { id: account } = await contentOf(named);
  const asAda = ['--config', config, '--account', account];
  await Promise.all(keys);
  await run(['org-keys', 'pin', org, '--admin', at('ada.pem'), '--recovery', at('safe.pem'), ...asAda]);
  const ada: CloudClient = await openCloud({ config, account });
  await ada.POST('/v1/orgs/{org}/tenants', { params: { path }, body: { id: tenant, name: 'Hall' } });

  // The box enrols by a token, and the admin assigns it.
  const box = ['--config', at('box.json')];
  const tenants = [{ id: tenant, org, keys: 'lease' }];
  await writeFile(at('box.json'), JSON.stringify({ dataDir: at('data'), keyDir: at('keys'), api: { port: 0 }, tenants }));
  const { token } = await contentOf(ada.POST('/v1/orgs/{org}/enrolment-tokens', { params: { path }, body: { name: 'Main door' } }));
  const daemons: DaemonProcess[] = [];
  const startDaemon = (): DaemonProcess => {
    const daemon = new DaemonProcess(at('box.json'));
    daemons.push(daemon);
    onTestFinished(() => daemon.cleanUp());
    return daemon;
  };
  const first = startDaemon();
  const firstApi = ['--api', (await first.until('ready')).api];
  const cloudUrl = `https://localhost:${fleetPort}`;
  const enrolled = await run(['enrol', '--cloud', cloudUrl, '--token', '-', ...box, ...firstApi, '--json'], token);
  const { device, fingerprint } = JSON.parse(enrolled) as { device: string; fingerprint: string };
  const { wrapKey } = await contentOf(ada.GET('/v1/orgs/{org}/devices/{id}', { params: { path: { org, id: device } } }));
  await writeFile(at('box.pem'), wrapKey);
  await run(['kms-trust', 'add', at('box.pem'), '--config', at('cloud/kms-trust.json')], '', { SOFTHSM2_CONF: at('cloud/softhsm2.conf') });
  await run(['org-keys', 'assign', org, tenant, '--key', at('ada.pem'), '--device', device, '--fingerprint', fingerprint, ...asAda]);

  /** The newest word of the daemon on its link. */
  const connected = (daemon: DaemonProcess, wanted: boolean): Promise<unknown> =>
    daemon.until('stats', ({ link }) => link?.connected === wanted, daemon.events.length);
  const order = async (): Promise<string> => {
    const body = { device, order: { kind: 'restart-tenant' as const, body: { tenant } } };
    return (await contentOf(ada.POST('/v1/orgs/{org}/commands', { params: { path }, body }))).id;
  };
  const stateOf = async (id: string): Promise<string> =>
    (await contentOf(ada.GET('/v1/orgs/{org}/commands/{id}', { params: { path: { org, id } } }))).state;
  /** It was done once, and the box's signed word on it is kept. */
  const expectDone = async (command: string): Promise<void> => {
    await expect.poll(() => stateOf(command), PATIENTLY).toBe('SUCCEEDED');
    const { items } = await contentOf(ada.GET('/v1/orgs/{org}/receipts', { params: { path, query: { command } } }));
    expect(items).toMatchObject([{ device, command, state: 'SUCCEEDED' }]);
    const settled = daemons.flatMap(({ log }) => log.split('\n')).filter((line) => line.includes('is settled') && line.includes(command));
    expect(settled).toHaveLength(1);
  };

  // Nobody told it of a KMS but its enrolment.
  await connected(first, true);
  expect(await run(['status', ...box, ...firstApi])).toMatch(/Link: +connected for [01] min/);
  const leases = async (): Promise<unknown> => JSON.parse(await run(['lease', 'show', ...box, ...firstApi, '--json']));
  await expect.poll(leases, PATIENTLY).toMatchObject([{ tenant, state: 'ready', comes: 'kms', epoch: 1, failure: null }]);
  await expectDone(await order());

  // The same by commands of `securegate`.
  const byCommand = (...args: string[]): Promise<string> => run(['cloud', ...args, ...asAda]);
  const told = await byCommand('commands', 'create', org, device, 'restart-tenant', '--tenant', tenant);
  await expectDone(told);
  expect(await byCommand('commands', 'show', org, told)).toMatch(/^restart-tenant for box_.*: SUCCEEDED since /);
  expect((await byCommand('commands', 'list', org, '--device', device)).split('\n').at(-1)).toMatch(`${told}  ${device}  restart-tenant`);
  expect(await byCommand('receipts', 'list', org, '--command', told)).toContain('SUCCEEDED');
  await expect(byCommand('commands', 'cancel', org, told)).rejects.toThrow('[command_settled]');
  const door = await byCommand('cameras', 'create', org, tenant, device, 'door', '--url', 'rtsp://127.0.0.1:9/1', '--fps', '2');
  await byCommand('cameras', 'change', org, tenant, door, '--title', 'Main door');
  expect(await byCommand('cameras', 'list', org, tenant)).toContain(door);
  const shown = (): Promise<string> => byCommand('devices', 'state', org, device);
  await expect
    .poll(shown, PATIENTLY)
    .toMatch(new RegExp(`It has taken what it should have[^]*\n${tenant} +fixed\n${tenant} +${door} +applied$`));
  await byCommand('cameras', 'remove', org, tenant, door);
  await expect.poll(shown, PATIENTLY).not.toContain(door);

  // A command waits for a box that has no chance to say that it goes.
  first.kill('SIGKILL');
  await first.exit;
  const queued = await order();
  expect(await stateOf(queued)).not.toBe('SUCCEEDED');
  const second = startDaemon();
  await expectDone(queued);

  // Control plane, broker and KMS go and come back; the box finds its way by itself.
  await cloud.stop();
  await connected(second, false);
  await cloud.start();
  await expectDone(await order());

  // It is denied: cut off at once, refused when it tries, and nothing reaches it.
  const denied = second.events.length;
  await ada.POST('/v1/orgs/{org}/devices/{id}/deny', { params: { path: { org, id: device } } });
  await connected(second, false);
  await second.until('stats', ({ link }) => /not authorized/i.test(link?.problem ?? ''), denied);
  const { api } = await second.until('ready');
  expect(await (await fetch(`${api}/readyz`)).json()).toMatchObject({ warnings: expect.arrayContaining(['broker_unavailable']) });
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toContain('securegate_cloud_connected_boxes 0');
  expect(metrics).toMatch(/broker_refusals_total\{what="refused",reason="not allowed"\} [1-9]/);
  await expect(order()).rejects.toMatchObject({ code: 'device_not_found' });
}, 240_000);
