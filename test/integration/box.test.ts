import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import sharp from 'sharp';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { BoxPort, LiveFrame } from '../../edge/api/ports.ts';
import { parseConfig } from '../../edge/config/load-config.ts';
import type { ConfigInput } from '../../edge/config/schema.ts';
import { Daemon } from '../../edge/daemon.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { RtspCamera } from '../../provisioning/demo/camera/rtsp-camera.ts';
import type { EdgeEvent, Sighting, Stats } from '../../shared/messages/events.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { FACE_VIDEO_FPS, makeFaceVideo } from '../helpers/make-face-video.ts';
import { type Person, twoPeople } from '../helpers/people.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { testSighting } from '../helpers/test-sighting.ts';
import { webhookReceiver } from '../helpers/webhook-receiver.ts';

const consent = { noticeVersion: 'v1', purpose: 'entry', givenAt: '2026-01-01T00:00:00.000Z', expiresAt: '2999-01-01T00:00:00.000Z' };
let guest: Person;
let video: Buffer;

beforeAll(async () => {
  await embeddedModels();
  [guest] = await twoPeople();
  video = await makeFaceVideo(guest.toShow, 4);
}, 120_000);

async function startCamera(): Promise<RtspCamera> {
  const camera = new RtspCamera({ video, fps: FACE_VIDEO_FPS, end: 'loop' });
  await camera.start();
  onTestFinished(() => camera.stop());
  return camera;
}

/** A box in this process. `events` fills up as it runs; `until` waits for one. */
async function startBox(folder: string, more: Partial<ConfigInput> = {}) {
  const config = parseConfig({
    dataDir: join(folder, 'data'),
    keyDir: join(folder, 'keys'),
    api: { port: 0 },
    tenants: [{ id: 'north', org: 'acme' }],
    ...more,
  } satisfies ConfigInput);
  const events: EdgeEvent[] = [];
  const waiting = new Set<() => void>();
  const emit = (event: EdgeEvent): void => {
    events.push(event);
    for (const look of waiting) look();
  };
  const daemon = new Daemon({ config, clock: systemClock, logger: testLogger(), emit });
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    expect(await daemon.stop()).toEqual([]);
  };
  onTestFinished(stop);
  await daemon.start(new AbortController().signal);
  const until = <Found extends EdgeEvent>(fits: (event: EdgeEvent) => event is Found): Promise<Found> =>
    new Promise((resolve) => {
      let next = events.length;
      const look = (): void => {
        for (; next < events.length; next += 1) {
          const event = events[next];
          if (event === undefined || !fits(event)) continue;
          waiting.delete(look);
          resolve(event);
          return;
        }
      };
      waiting.add(look);
    });
  const api = events.find((event) => event.type === 'ready')?.api ?? '';
  return { box: daemon.port(), api, until, stop };
}

const seen =
  (fits: (sighting: Sighting) => boolean) =>
  (event: EdgeEvent): event is Sighting =>
    event.type === 'sighting' && fits(event);

const live =
  (camera: string) =>
  (event: EdgeEvent): event is EdgeEvent & { type: 'camera' } =>
    event.type === 'camera' && event.camera === camera && event.state === 'live';

function framesOf(box: BoxPort, tenant: string, id: string, count: number): Promise<LiveFrame[]> {
  return new Promise((resolve) => {
    const frames: LiveFrame[] = [];
    const end = box.cameras.watch(tenant, id, 'large', (frame) => {
      frames.push(frame);
      if (frames.length < count) return;
      end();
      resolve(frames);
    });
  });
}

const figures =
  (fits: (stats: Stats) => boolean) =>
  (event: EdgeEvent): event is Stats =>
    event.type === 'stats' && fits(event);

const refusal = (code: string) => expect.objectContaining({ code });

describe('a box at run time', () => {
  test('a camera that is away stays failed without a word more, however often it is called', async () => {
    // Nobody listens there.
    const cameras = [{ id: 'door', tenant: 'north', url: 'rtsp://127.0.0.1:1/' }];
    const { box, until } = await startBox(await tempFolder(), { cameras });
    const failed = figures((stats) => stats.cameras[0]?.state === 'failed');
    const { uptimeMs } = await until(failed);
    const told: EdgeEvent[] = [];
    box.onEvent('north', (event) => told.push(event));
    await until(figures((stats) => stats.uptimeMs > uptimeMs + 4000));
    expect(told.filter(({ type }) => type === 'camera')).toEqual([]);
    expect(box.cameras.list('north')).toMatchObject([{ state: 'failed', reason: 'camera_unreachable' }]);
  });

  test('somebody unknown on a camera that was added is enrolled from the sighting, and is known from then on', async () => {
    const camera = await startCamera();
    const folder = await tempFolder();
    const receiver = await webhookReceiver((response) => response.end());
    const { box, until, stop } = await startBox(folder, { webhooks: { allowPrivateTargets: true } });
    await box.tenants.add({ id: 'south', org: 'acme', unmatchedTtlMs: 60_000 });
    await box.webhooks.add('south', { url: receiver.url, active: true });
    const elsewhere: EdgeEvent[] = [];
    box.onEvent('north', (event) => elsewhere.push(event));
    const added = await box.cameras.add('south', { slug: 'door', url: camera.url, fps: FACE_VIDEO_FPS });
    expect(added).toMatchObject({ slug: 'door', fixed: false, address: camera.url });

    const stranger = await until(seen(({ outcome }) => outcome === 'unknown'));
    expect(stranger).toMatchObject({ tenant: 'south', camera: 'door' });
    expect(box.hasSightingPicture('south', stranger.id)).toBe(true);
    const picture = await box.sightingPicture('south', stranger.id);
    expect(await sharp(picture).metadata()).toMatchObject({ format: 'jpeg', width: 112, height: 112 });
    expect(box.inView('south')).toEqual([]);
    const { embedding, model, quality, picture: aligned } = await box.faces.ofSighting('south', stranger.id);
    const vault = box.tenants.vault('south');
    const { customerId } = await vault.enrolCustomer({
      profile: { name: 'Ottoline Quist' },
      consent,
      faces: [{ embedding, model, quality: quality.overall, picture: aligned }],
    });
    const begun = await until(seen((sighting) => sighting.customerId === customerId && sighting.phase === 'begun'));
    expect(box.inView('south')).toEqual([begun]);
    const withdrawn = until(seen(({ id, phase }) => id === begun.id && phase === 'ended'));
    await vault.withdrawConsent(customerId);
    expect(await withdrawn).toMatchObject({ outcome: 'unknown', customerId: null });
    await vault.recordConsent(customerId, consent);
    const known = await until(seen((sighting) => sighting.customerId === customerId && sighting.phase === 'ended'));
    expect(box.inView('south').map(({ id }) => id)).not.toContain(known.id);
    expect(known.tenant).toBe('south');
    await box.tenants.change('south', { matchThreshold: 1 });
    await until(seen(({ outcome }) => outcome === 'unknown'));
    await box.tenants.change('south', { matchThreshold: null });
    await receiver.calls(2);
    expect(JSON.parse(String(receiver.received[0]?.body))).toMatchObject({ event: 'sighting', sighting: { id: stranger.id } });

    expect(elsewhere).toEqual([]);
    await expect(box.faces.ofSighting('north', stranger.id)).rejects.toThrow(refusal('sighting_gone'));
    expect(box.inView('north')).toEqual([]);
    await stop();

    const again = await startBox(folder, { webhooks: { allowPrivateTargets: true } });
    expect(again.box.tenants.get('south')).toMatchObject({ fixed: false, unmatchedTtlMs: 60_000, state: 'ready' });
    expect(again.box.webhooks.list('south')).toHaveLength(1);
    expect(again.box.cameras.list('south')).toMatchObject([{ id: added.id, slug: 'door' }]);
    await again.until(seen((sighting) => sighting.customerId === customerId));
    const stored = await again.box.tenants.vault('south').listSightings({ limit: 200 });
    expect(stored.items.map(({ id }) => id)).toEqual(expect.arrayContaining([stranger.id, known.id]));
    const day = { from: new Date(Date.now() - 86_400_000).toISOString().slice(0, 10), to: new Date().toISOString().slice(0, 10) };
    const counters = (await again.box.tenants.vault('south').usage(day)).map((entry) => entry.counters);
    expect(counters.reduce((sum, { frames = 0 }) => sum + frames, 0)).toBeGreaterThan(10);
    expect(counters.reduce((sum, { sightings = 0 }) => sum + sightings, 0)).toBeGreaterThanOrEqual(2);
    expect(again.box.stageTimes().frame.count).toBeGreaterThan(0);
    expect(again.box.stageTimes().search.count).toBeGreaterThan(0);
    await again.stop();
    // The camera's address is in the vault alone.
    for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) expect(readFileSync(join(file.parentPath, file.name)).includes(new URL(camera.url).host)).toBe(false);
    }
  }, 90_000);

  test('who watches a camera sees its pictures with what is on them, and what changes is changed on that camera alone', async () => {
    const [first, second] = [await startCamera(), await startCamera()];
    const folder = await tempFolder();
    const { box, until } = await startBox(folder, { cameras: [{ id: 'gate', tenant: 'north', url: first.url }] });
    const frames = await framesOf(box, 'north', 'gate', 20);
    expect(frames[0]).toMatchObject({ width: 960, height: 540 });
    const [track] = frames.flatMap(({ tracks }) => tracks);
    expect(track?.box.width).toBeGreaterThan(20);
    expect(track?.box.y).toBeLessThan(540);

    const added = await box.cameras.add('north', { slug: 'door', url: first.url, fps: 5 });
    await until(live('door'));
    const framesAtGate = (): number => box.stats().cameras.find(({ camera }) => camera === 'gate')?.frames ?? 0;
    const before = framesAtGate();
    const changed = await box.cameras.change('north', added.id, { url: second.url, title: 'Door' }, added.version);
    expect(changed).toMatchObject({ slug: 'door', title: 'Door', address: second.url });
    await until(live('door'));
    expect(framesAtGate()).toBeGreaterThanOrEqual(before);
    await framesOf(box, 'north', added.id, 2);

    await expect(box.cameras.change('north', added.id, { fps: 2 }, added.version)).rejects.toThrow(refusal('version_conflict'));
    await expect(box.cameras.add('north', { slug: 'gate', url: first.url, fps: 5 })).rejects.toThrow(refusal('conflict'));
    await expect(box.cameras.change('north', 'gate', { fps: 2 })).rejects.toThrow(refusal('fixed_by_configuration'));
    await expect(box.cameras.remove('north', 'gate')).rejects.toThrow(refusal('fixed_by_configuration'));
    await box.cameras.remove('north', added.id);
    expect(box.cameras.list('north').map(({ slug }) => slug)).toEqual(['gate']);
    expect(() => box.cameras.get('north', added.id)).toThrow(refusal('record_not_found'));
  }, 60_000);

  test('sightings are kept for as many days as the policy of their tenant says, also after a crash of the vault', async () => {
    const folder = await tempFolder();
    const { box } = await startBox(folder, { tenants: [{ id: 'north', org: 'acme', sightingsDays: 2 }] });
    await box.tenants.add({ id: 'south', org: 'acme' });
    const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
    const listed = async (tenant: string): Promise<number> => (await box.tenants.vault(tenant).listSightings({ limit: 200 })).items.length;
    for (const tenant of ['north', 'south']) {
      for (const days of [0, 5, 40]) await box.tenants.vault(tenant).recordSighting(testSighting({ tenant, endedAt: daysAgo(days) }));
    }
    expect([await listed('north'), await listed('south')]).toEqual([1, 2]);
    await box.tenants.change('south', { sightingsDays: 3650 });
    await expect(box.tenants.change('north', { sightingsDays: 3650 })).rejects.toThrow(refusal('fixed_by_configuration'));
    await box.tenants.vault('south').recordSighting(testSighting({ tenant: 'south', endedAt: daysAgo(40) }));
    const before = await listed('south');
    expect(before).toBeGreaterThanOrEqual(3);
    process.kill(box.tenants.vault('south').pid ?? 0, 'SIGKILL');
    await expect
      .poll(() => [box.tenants.vault('south').restarts, box.tenants.get('south').state], { timeout: 20_000 })
      .toEqual([1, 'ready']);
    expect(await listed('south')).toBe(before);
    await box.tenants.change('south', { sightingsDays: 1 });
    expect(await listed('south')).toBe(1);
    // Told to keep them again, the vault has only what it has not removed yet.
    const removed = async (): Promise<number> => {
      await box.tenants.change('south', { sightingsDays: 3650 });
      const left = await listed('south');
      await box.tenants.change('south', { sightingsDays: 1 });
      return left;
    };
    await expect.poll(removed, { timeout: 20_000 }).toBe(1);
  }, 60_000);

  test('a camera is tested with a picture, and a wrong address with its reason', async () => {
    const camera = await startCamera();
    const { box } = await startBox(await tempFolder());
    const { width, height, jpeg, openedMs } = await box.cameras.test(camera.url);
    expect([width, height]).toEqual([1280, 720]);
    expect(openedMs).toBeGreaterThan(0);
    expect(await sharp(jpeg).metadata()).toMatchObject({ format: 'jpeg', width: 960 });
    const { url } = camera;
    await camera.stop();
    await expect(box.cameras.test(url)).rejects.toThrow(refusal('camera_unreachable'));
    await expect(box.cameras.test('/etc/passwd')).rejects.toThrow(refusal('invalid_request'));
  });

  test('a vault that somebody else held at the start is opened when it is free, and its cameras start', async () => {
    const camera = await startCamera();
    const folder = await tempFolder();
    const tenants = join(folder, 'data', 'tenants');
    mkdirSync(tenants, { recursive: true, mode: 0o700 });
    const held = new Database(join(tenants, 'north.lock'));
    onTestFinished(() => void held.close());
    held.exec('BEGIN EXCLUSIVE');
    const { box, until } = await startBox(folder, { cameras: [{ id: 'gate', tenant: 'north', url: camera.url }] });
    expect(box.health()).toContainEqual({ part: 'vaults', ready: false, reason: 'data_folder_in_use' });
    expect(box.tenants.get('north')).toMatchObject({ state: 'starting', reason: 'data_folder_in_use' });
    held.exec('ROLLBACK');
    await until(live('gate'));
    expect(box.tenants.get('north')).toMatchObject({ state: 'ready', reason: null });
    expect(box.health().every(({ ready }) => ready)).toBe(true);
  }, 60_000);

  test('the API refuses more requests than the configuration allows', async () => {
    const { api } = await startBox(await tempFolder(), { api: { port: 0, rateLimits: { perAddress: 2 } } });
    const statuses = [];
    for (let count = 0; count < 3; count += 1) statuses.push((await fetch(`${api}/healthz`)).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  test('tenants of the file are fixed, those of the API are not, and no id is given twice', async () => {
    const { box } = await startBox(await tempFolder());
    expect(box.health().every(({ ready }) => ready)).toBe(true);
    await expect(box.tenants.change('north', { unmatchedTtlMs: 2000 })).rejects.toThrow(refusal('fixed_by_configuration'));
    const twice = await Promise.allSettled([box.tenants.add({ id: 'south', org: 'acme' }), box.tenants.add({ id: 'south', org: 'other' })]);
    expect(twice.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(box.tenants.add({ id: 'north', org: 'acme' })).rejects.toThrow(refusal('conflict'));
    expect(box.faces.threshold('south')).toBe(box.faces.threshold('north'));
    await box.tenants.change('south', { matchThreshold: 0.9 });
    expect(box.faces.threshold('south')).toBe(0.9);
    await box.tenants.change('south', { unmatchedTtlMs: 2000 });
    expect(box.tenants.get('south')).toMatchObject({ matchThreshold: 0.9, unmatchedTtlMs: 2000, fixed: false });
    expect(() => box.tenants.get('west')).toThrow(refusal('tenant_not_found'));
    expect(() => box.cameras.list('west')).toThrow(refusal('tenant_not_found'));
    expect(() => box.webhooks.list('west')).toThrow(refusal('tenant_not_found'));
  });
});
