import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { RtspCamera } from '../../provisioning/demo/camera/rtsp-camera.ts';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { TestFleet } from '../helpers/fleet.ts';
import { freePort } from '../helpers/free-port.ts';
import { makeTestVideo } from '../helpers/make-test-video.ts';
import { noteSecret } from '../helpers/secrecy/note-secret.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));
const PATIENTLY = { timeout: 60_000, interval: 100 };
const FPS = 5;

beforeAll(async () => {
  await embeddedModels();
}, 120_000);

/** A command of `securegate`. @returns what it printed */
async function run(args: readonly string[], input: string): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: 'pipe' });
  child.stdin.end(input);
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(child.exitCode, error).toBe(0);
  return out.trim();
}

test('a box without a tenant gets one and its camera from the control plane, and has both after a crash without it', async () => {
  const password = 'p@ss:w/rd %41';
  noteSecret('password of a camera', Buffer.from(password));
  const video = await makeTestVideo({ pictures: 10, fps: FPS, width: 320, height: 240 });
  const camera = new RtspCamera({ video, fps: FPS, end: 'loop', credentials: { user: 'ada', password } });
  await camera.start();
  onTestFinished(() => camera.stop());

  const fleet = await TestFleet.start({ broker: 'embedded' });
  const folder = await tempFolder();
  const at = (name: string): string => join(folder, name);
  const { kms } = fleet;
  await writeFile(at('kms-keys.json'), JSON.stringify({ keys: [await kms.client.call('signingKey', { use: 'leases' })] }));
  // The KMS is beside the box, so that leases come without the control plane.
  const lease = { kmsKeys: at('kms-keys.json'), kmsSocket: kms.socket };
  await writeFile(at('box.json'), JSON.stringify({ dataDir: at('data'), keyDir: at('keys'), api: { port: 0 }, lease }));
  const box = ['--config', at('box.json')];
  const enrolled = await run(['enrol', '--cloud', fleet.url, '--token', '-', ...box, '--json'], await fleet.token());
  const { device } = JSON.parse(enrolled) as { device: string };
  await fleet.trust({ id: device });

  const startDaemon = (): DaemonProcess => {
    const daemon = new DaemonProcess(at('box.json'));
    onTestFinished(() => daemon.cleanUp());
    return daemon;
  };
  const streams = (daemon: DaemonProcess, fps: number): Promise<unknown> =>
    daemon.until('stats', ({ cameras }) => cameras.some((one) => one.camera === 'door' && one.frames > 0 && one.fpsWanted === fps));
  const reported = async () => (await fleet.ask('GET', `/devices/${device}/state`)).body.reported?.state;

  const first = startDaemon();
  await expect.poll(reported, PATIENTLY).toMatchObject({ tenants: [], cameras: [], modelSet: 'embedded' });
  expect(await fleet.assign({ id: device })).toMatchObject({ status: 201 });
  const wanted = { device, slug: 'door', url: camera.url, fps: 2, credential: 'door' };
  const made = await fleet.ask('POST', '/tenants/hall/cameras', wanted);
  expect(made).toMatchObject({ status: 201 });
  const item = { tenant: 'hall', id: made.body.id };
  await expect.poll(reported, PATIENTLY).toMatchObject({
    tenants: [{ id: 'hall', state: 'applied', reason: null }],
    cameras: [{ ...item, state: 'failed', reason: 'camera_credential_missing' }],
  });
  await run(['camera-credential', 'set', 'door', '--host', '127.0.0.1', ...box], `ada:${password}\n`);
  await run(['camera-credential', 'set', 'old', '--host', 'cam.example', ...box], 'ada:none\n');
  await run(['camera-credential', 'rm', 'old', ...box], '');
  expect(await run(['camera-credential', 'list', ...box], '')).toBe('door');
  await expect.poll(reported, PATIENTLY).toMatchObject({ cameras: [{ ...item, state: 'applied', reason: null }] });
  await streams(first, 2);

  // It goes without a word, and the control plane goes before it comes back.
  first.kill('SIGKILL');
  await first.exit;
  await fleet.ask('PATCH', `/tenants/hall/cameras/${made.body.id}`, { fps: 3 });
  await fleet.cloud.stop();
  const second = startDaemon();
  await streams(second, 2);
  expect(second.log).not.toMatch(/a step to the desired state/);
}, 240_000);

test('what the control plane changes while a box is killed again and again, it has in the end', async () => {
  const fleet = await TestFleet.start({ broker: 'embedded' });
  const folder = await tempFolder();
  const at = (name: string): string => join(folder, name);
  const tenants = [{ id: 'north', org: 'acme' }];
  await writeFile(at('box.json'), JSON.stringify({ dataDir: at('data'), keyDir: at('keys'), api: { port: 0 }, tenants }));
  const enrolled = await run(['enrol', '--cloud', fleet.url, '--token', '-', '--config', at('box.json'), '--json'], await fleet.token());
  const { device } = JSON.parse(enrolled) as { device: string };
  await fleet.trust({ id: device });
  await fleet.assign({ id: device });
  const slugs = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5'];
  const ids: string[] = [];
  for (const slug of slugs)
    ids.push((await fleet.ask('POST', '/tenants/hall/cameras', { device, slug, url: `rtsp://127.0.0.1:9/${slug}` })).body.id);

  const state = async () => {
    const { tenants: own = [], cameras = [] } = (await fleet.ask('GET', `/devices/${device}/state`)).body.reported?.state ?? {};
    return [own, cameras];
  };
  // It is killed when it says that a step is done; on a slow machine, all of them may be by then.
  for (let crashes = 0; crashes < 3; crashes += 1) {
    const daemon = new DaemonProcess(at('box.json'));
    onTestFinished(() => daemon.cleanUp());
    const isAtIt = async (): Promise<boolean> => {
      if (daemon.log.includes('a step to the desired state is done')) return true;
      const [, cameras] = await state();
      return cameras.length === slugs.length && cameras.every((one: { state: string }) => one.state === 'applied');
    };
    await expect.poll(isAtIt, { timeout: 60_000, interval: 1 }).toBe(true);
    daemon.kill('SIGKILL');
    await daemon.exit;
  }
  await fleet.ask('DELETE', `/tenants/hall/cameras/${ids[0]}`);
  await fleet.ask('PATCH', `/tenants/hall/cameras/${ids[1]}`, { slug: 'c9' });
  const last = new DaemonProcess(at('box.json'));
  onTestFinished(() => last.cleanUp());
  await expect.poll(state, PATIENTLY).toEqual([
    [
      { id: 'hall', state: 'applied', reason: null },
      { id: 'north', state: 'fixed', reason: null },
    ],
    ids
      .slice(1)
      .toSorted()
      .map((id) => ({ tenant: 'hall', id, state: 'applied', reason: null })),
  ]);
  const seen = await last.until('stats', ({ cameras }) => cameras.length === 5, last.events.length);
  expect(seen.cameras.map((camera) => camera.camera).toSorted()).toEqual(['c2', 'c3', 'c4', 'c5', 'c9']);
}, 240_000);

test('a tenant that somebody wipes at the box is known in the control plane, now or when the box is there again', async () => {
  const fleet = await TestFleet.start({ broker: 'embedded' });
  const folder = await tempFolder();
  const at = (name: string): string => join(folder, name);
  const tenants = ['north', 'south', 'other'].map((id) => ({ id, org: id === 'other' ? 'another' : 'acme' }));
  await writeFile(
    at('box.json'),
    JSON.stringify({ dataDir: at('data'), keyDir: at('keys'), api: { port: Number(await freePort()) }, tenants }),
  );
  const enrolled = await run(['enrol', '--cloud', fleet.url, '--token', '-', '--config', at('box.json'), '--json'], await fleet.token());
  const { device } = JSON.parse(enrolled) as { device: string };
  const shredded = async () => (await fleet.ask('GET', `/devices/${device}/state`)).body.reported?.state.shredded;
  const start = async (): Promise<DaemonProcess> => {
    const daemon = new DaemonProcess(at('box.json'));
    onTestFinished(() => daemon.cleanUp());
    await daemon.until('ready');
    return daemon;
  };
  const wipe = (tenant: string) => run(['wipe', '--tenant', tenant, '--yes', '--config', at('box.json')], '');

  const daemon = await start();
  await daemon.until('stats', ({ vaults }) => vaults.length === 3 && vaults.every(({ state }) => state === 'ready'));
  await expect.poll(shredded, PATIENTLY).toEqual([]);
  await wipe('north');
  await expect.poll(shredded, PATIENTLY).toEqual(['north']);
  daemon.kill('SIGTERM');
  await daemon.exit;
  await wipe('south');
  await wipe('other');
  await start();
  await expect.poll(shredded, PATIENTLY).toEqual(['north', 'south']);
}, 240_000);
