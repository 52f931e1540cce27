import { execFile } from 'node:child_process';
import { access, cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openAppliance } from '../../edge/appliance/open-appliance.ts';
import { parseConfig } from '../../edge/config/load-config.ts';
import type { ConfigInput } from '../../edge/config/schema.ts';
import { openEnrolment } from '../../edge/enrolment.ts';
import { RtspCamera } from '../../provisioning/demo/camera/rtsp-camera.ts';
import { findVault } from '../../provisioning/drills/harness/find-vault.ts';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { FACE_VIDEO_FPS, makeFaceVideo } from '../helpers/make-face-video.ts';
import { type Person, twoPeople } from '../helpers/people.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { testClient } from '../helpers/vault.ts';

const consent = { noticeVersion: 'v1', purpose: 'entry', givenAt: '2026-01-01T00:00:00.000Z', expiresAt: '2999-01-01T00:00:00.000Z' };
const logger = testLogger();
let guest: Person;
let video: Buffer;
let folder: string;

beforeAll(async () => {
  await embeddedModels();
  [guest] = await twoPeople();
  video = await makeFaceVideo(guest.toShow, 4);
}, 120_000);

beforeEach(async () => {
  folder = await tempFolder();
});

async function startCamera(): Promise<RtspCamera> {
  const camera = new RtspCamera({ video, fps: FACE_VIDEO_FPS, end: 'loop' });
  await camera.start();
  onTestFinished(() => camera.stop());
  return camera;
}

async function writeConfig(cameras: NonNullable<ConfigInput['cameras']>, more: Partial<ConfigInput> = {}): Promise<string> {
  const config: ConfigInput = {
    dataDir: join(folder, 'data'),
    keyDir: join(folder, 'keys'),
    api: { port: 0 },
    tenants: [
      { id: 'north', org: 'acme' },
      { id: 'south', org: 'acme' },
    ],
    cameras,
    ...more,
  };
  const file = join(folder, 'box.json');
  await writeFile(file, JSON.stringify(config));
  return file;
}

/** A box that watches one door of each tenant. */
async function twoDoors(): Promise<{ file: string; south: RtspCamera }> {
  const [north, south] = [await startCamera(), await startCamera()];
  const file = await writeConfig([
    { id: 'north-door', tenant: 'north', url: north.url },
    { id: 'south-door', tenant: 'south', url: south.url },
  ]);
  return { file, south };
}

async function enrolGuest(configFile: string, tenant = 'north'): Promise<string> {
  const enrolment = await openEnrolment(parseConfig(JSON.parse(await readFile(configFile, 'utf8'))), { logger });
  try {
    const { customerId } = await enrolment.enrol({ tenant, name: 'Ottoline Quist', consent, images: [guest.toEnrol] });
    return customerId;
  } finally {
    await enrolment.close();
  }
}

function startDaemon(configFile: string): DaemonProcess {
  const daemon = new DaemonProcess(configFile);
  onTestFinished(() => daemon.cleanUp());
  return daemon;
}

describe('a box with two tenants', () => {
  test('names a guest to the tenant who knows her and to nobody else, and goes down cleanly under load', async () => {
    const { file } = await twoDoors();
    const customerId = await enrolGuest(file);
    const daemon = startDaemon(file);
    const { api } = await daemon.until('ready');
    expect(await (await fetch(`${api}/readyz`)).json()).toMatchObject({ ready: true });
    expect(await readdir(join(folder, 'data'))).not.toContain('admin.token');
    const token = await stat(join(folder, 'keys', 'admin.token'));
    expect(token.mode & 0o777).toBe(0o600);
    const known = await daemon.until('sighting', ({ camera, phase }) => camera === 'north-door' && phase === 'begun');
    const stranger = await daemon.until('sighting', ({ camera }) => camera === 'south-door');
    expect(known).toMatchObject({ tenant: 'north', outcome: 'person', customerId });
    expect(stranger).toMatchObject({ tenant: 'south', outcome: 'unknown', customerId: null });

    const second = startDaemon(file);
    expect(await second.exit).toBe(1);
    expect(second.log).toContain('data_folder_in_use');

    const started = performance.now();
    daemon.kill('SIGTERM');
    expect(await daemon.exit).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(daemon.events.filter((event) => event.type === 'sighting' && event.tenant === 'south' && event.customerId !== null)).toEqual([]);
    expect(daemon.log).not.toContain('Ottoline');
  });

  test('keeps one tenant going while the other one cannot be opened', async () => {
    const { file, south } = await twoDoors();
    const customerId = await enrolGuest(file);
    await enrolGuest(file, 'south');
    await writeFile(join(folder, 'keys', 'south.key'), Buffer.alloc(32, 7), { mode: 0o600 });
    const daemon = startDaemon(file);
    expect(await daemon.until('sighting', ({ phase }) => phase === 'begun')).toMatchObject({ tenant: 'north', customerId });
    const { vaults, cameras } = await daemon.until('stats', ({ uptimeMs }) => uptimeMs > 2000);
    expect(vaults.map(({ tenant, state }) => [tenant, state])).toEqual([
      ['north', 'ready'],
      ['south', 'failed'],
    ]);
    expect(cameras.find(({ camera }) => camera === 'south-door')).toMatchObject({ state: 'stopped', frames: 0 });
    expect(daemon.log).toContain('key_rejected');
    expect(south.clients).toBe(0);
  });

  test('survives the death of a vault and of a camera, and both come back', async () => {
    const { file, south } = await twoDoors();
    const customerId = await enrolGuest(file);
    await enrolGuest(file, 'south');
    const daemon = startDaemon(file);
    await daemon.until('sighting', ({ tenant, phase }) => tenant === 'north' && phase === 'begun');

    process.kill(await findVault(daemon.pid, 'north'), 'SIGKILL');
    south.dropConnections();
    south.refuse();
    const fallen = daemon.events.length;
    await daemon.until('camera', ({ camera, state }) => camera === 'south-door' && state === 'failed', fallen);
    const restarted = await daemon.until('stats', ({ vaults }) => vaults[0]?.state === 'ready' && vaults[0].restarts === 1, fallen);
    expect(restarted.vaults[0]?.faces).toBe(1);
    expect(restarted.vaults[1]).toMatchObject({ tenant: 'south', restarts: 0, state: 'ready' });

    // The living camera has its rate, and its guest is named again. What else runs on this machine may take pictures, but not again and again.
    const from = daemon.events.length;
    const rate = async (): Promise<number> => {
      const since = daemon.events.length;
      const before = await daemon.until('stats', () => true, since);
      const after = await daemon.until('stats', ({ uptimeMs }) => uptimeMs > before.uptimeMs + 2900, since);
      const frames = (stats: typeof before): number => stats.cameras.find(({ camera }) => camera === 'north-door')?.frames ?? 0;
      return ((frames(after) - frames(before)) * 1000) / (after.uptimeMs - before.uptimeMs);
    };
    await expect.poll(rate, { timeout: 30_000, interval: 0 }).toBeGreaterThan(4);
    expect(await daemon.until('sighting', ({ tenant, phase }) => tenant === 'north' && phase === 'begun', from)).toMatchObject({
      customerId,
    });

    south.accept();
    await daemon.until('camera', ({ camera, state }) => camera === 'south-door' && state === 'live', from);
  }, 90_000);
});

test('the command line enrols a guest whose name is no argument', async () => {
  const config = await writeConfig([]);
  const picture = join(folder, 'guest.jpg');
  await writeFile(picture, guest.toEnrol);
  const main = new URL('../../provisioning/main.ts', import.meta.url).pathname;
  const consents = ['--consent-notice', 'v1', '--consent-purpose', 'entry', '--consent-until', '2999-01-01'];
  const command = promisify(execFile)(process.execPath, [
    main,
    'enrol-face',
    picture,
    '--config',
    config,
    '--tenant',
    'north',
    '--json',
    ...consents,
  ]);
  command.child.stdin?.end('Ottoline Quist\n');
  const { customerId } = JSON.parse((await command).stdout);
  const appliance = openAppliance(join(folder, 'data'));
  onTestFinished(() => appliance.close());
  const vault = testClient({ box: appliance.box, dataDir: join(folder, 'data'), keyDir: join(folder, 'keys') }, 'north');
  await vault.start();
  expect(await vault.getCustomer(customerId)).toMatchObject({
    name: 'Ottoline Quist',
    faceList: [{ model: expect.any(String) }],
  });
});

test('a tenant whose vault hangs (a dying disk) keeps nobody else waiting, and the box still stops when told', async () => {
  const camera = await startCamera();
  const file = await writeConfig([
    { id: 'south-door', tenant: 'south', url: camera.url },
    { id: 'north-door', tenant: 'north', url: camera.url },
  ]);
  const keyring = join(folder, 'data/tenants/south/keyring');
  await mkdir(keyring, { recursive: true });
  for (const other of ['keyring/keys.db', 'vault.db']) await writeFile(join(keyring, '..', other), '');
  // Nobody ever writes into this pipe: reading the keyring's header never ends.
  await promisify(execFile)('mkfifo', [join(keyring, 'header.json')]);
  const daemon = startDaemon(file);
  await daemon.until('camera', ({ camera: id, state }) => id === 'north-door' && state === 'live');
  expect(daemon.events.map(({ type }) => type)).not.toContain('ready');
  daemon.kill('SIGTERM');
  expect(await daemon.exit).toBe(0);
  expect(daemon.events.filter((event) => event.type === 'camera' && event.camera === 'south-door')).toEqual([]);
});

test('a box without its models, or with a file of the wrong shape, says so and does not start', async () => {
  const file = await writeConfig([], { modelsDir: join(folder, 'models') });
  const without = startDaemon(file);
  expect(await without.exit).toBe(1);
  expect(without.log).toContain('model_missing');

  const { detector, embedder } = await embeddedModels();
  await mkdir(join(folder, 'models'));
  await cp(join(detector.path, '..', '..'), join(folder, 'models'), { recursive: true });
  await cp(embedder.path, detector.path.replace(join(detector.path, '..', '..'), join(folder, 'models')));
  const wrong = startDaemon(file);
  expect(await wrong.exit).toBe(1);
  expect(wrong.log).toMatch(/model_integrity|model_contract/);
});

test('a box that is stopped while it starts ends cleanly', async () => {
  const file = await writeConfig([]);
  const tenants = join(folder, 'data', 'tenants');
  await mkdir(tenants, { recursive: true, mode: 0o700 });
  // A vault that somebody else holds keeps the daemon from being ready for seconds.
  const held = new Database(join(tenants, 'north.lock'));
  onTestFinished(() => void held.close());
  held.exec('BEGIN EXCLUSIVE');
  const daemon = startDaemon(file);
  await vi.waitFor(() => access(join(folder, 'data', 'appliance.db')), { timeout: 20_000 });
  daemon.kill('SIGTERM');
  expect(await daemon.exit, daemon.log).toBe(0);
  expect(daemon.events.filter(({ type }) => type === 'ready')).toEqual([]);
});

test('a box goes down even while a camera hangs where nothing can interrupt it', async () => {
  const pipe = join(folder, 'pipe.mp4');
  // Opening a pipe that nobody writes to hangs in the kernel.
  await promisify(execFile)('mkfifo', [pipe]);
  const daemon = startDaemon(await writeConfig([{ id: 'north-door', tenant: 'north', url: pipe }]));
  await daemon.until('ready');
  daemon.kill('SIGTERM');
  expect(await daemon.exit).toBe('SIGKILL');
  expect(daemon.log).toContain('did not stop in time');
});
