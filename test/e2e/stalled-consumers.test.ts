import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ConfigInput } from '../../edge/config/schema.ts';
import { RtspCamera } from '../../provisioning/demo/camera/rtsp-camera.ts';
import type { Stats } from '../../shared/messages/events.ts';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { FACE_VIDEO_FPS, makeFaceVideo } from '../helpers/make-face-video.ts';
import { twoPeople } from '../helpers/people.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { webhookReceiver } from '../helpers/webhook-receiver.ts';

const CAMERAS = ['front-door', 'back-door'] as const;
const SSE_READERS = 20;
const VIEWERS = 10;
const WEBHOOKS = 8;
/** Makes a live picture 190 KB large: the buffers of the kernel are full after seconds. */
const GRAIN = 50;
const MEASURED_MS = 20_000;

/** Asks, waits for the first bytes of the answer and never reads again. @returns the local port, by which the kernel knows the connection */
async function stall(api: string, path: string, token: string): Promise<number> {
  const { hostname, port } = new URL(api);
  const socket: Socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  const [head] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  expect(head.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
  return socket.localPort ?? 0;
}

/** Bytes that the kernel holds back because their client does not take them, by the client's port. */
async function heldBack(): Promise<Map<number, number>> {
  const lines = (await readFile('/proc/net/tcp', 'utf8')).trim().split('\n').slice(1);
  return new Map(
    lines.map((line) => {
      const [, , remote = '', , queues = ''] = line.trim().split(/\s+/);
      return [Number.parseInt(remote.split(':')[1] ?? '', 16), Number.parseInt(queues, 16)];
    }),
  );
}

/** Whether nothing more fits in for any of these clients: the kernel holds bytes back, and no more than when it was last asked. */
function stuck(ports: readonly number[]): () => Promise<boolean> {
  let last = new Map<number, number>();
  return async () => {
    const before = last;
    last = await heldBack();
    return ports.every((port) => (last.get(port) ?? 0) > 0 && last.get(port) === before.get(port));
  };
}

test('readers of sightings and live pictures who stop reading, and a receiver who never answers, take no frame from the cameras', async () => {
  const [guest] = await twoPeople();
  const video = await makeFaceVideo(guest.toShow, 4, GRAIN);
  const cameras = await Promise.all(
    CAMERAS.map(async (id) => {
      const camera = new RtspCamera({ video, fps: FACE_VIDEO_FPS, end: 'loop' });
      await camera.start();
      onTestFinished(() => camera.stop());
      return { id, tenant: 'north', url: camera.url, fps: FACE_VIDEO_FPS };
    }),
  );
  const receiver = await webhookReceiver(() => undefined);
  const folder = await tempFolder();
  const config: ConfigInput = {
    dataDir: join(folder, 'data'),
    keyDir: join(folder, 'keys'),
    api: { port: 0 },
    webhooks: { allowPrivateTargets: true },
    tenants: [{ id: 'north', org: 'acme' }],
    cameras,
  };
  await writeFile(join(folder, 'box.json'), JSON.stringify(config));
  const daemon = new DaemonProcess(join(folder, 'box.json'));
  onTestFinished(() => daemon.cleanUp());
  const { api } = await daemon.until('ready');
  const token = (await readFile(join(folder, 'keys', 'admin.token'), 'utf8')).trim();
  for (let count = 0; count < WEBHOOKS; count += 1) {
    const made = await fetch(`${api}/v1/tenants/north/webhooks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ url: receiver.url }),
    });
    expect(made.status).toBe(201);
  }
  await daemon.until('stats', (stats) => stats.cameras.every(({ frames }) => frames > 0));
  const ofCamera = (id: string): string => `/v1/live?cameras=north/${id}`;
  const readers = Array.from({ length: SSE_READERS }, () => stall(api, '/v1/sightings/stream?tenants=north', token));
  const viewers = Array.from({ length: VIEWERS }, (_none, index) => stall(api, ofCamera(CAMERAS[index % CAMERAS.length] ?? ''), token));
  const [ports] = await Promise.all([Promise.all(viewers), Promise.all(readers), receiver.calls(WEBHOOKS)]);
  await expect.poll(stuck(ports), { timeout: 60_000, interval: 2000 }).toBe(true);

  // What else runs on this machine may take a picture as well, but not again and again.
  await expect.poll(() => skippedBy(daemon), { timeout: 6 * MEASURED_MS, interval: 0 }).toEqual(CAMERAS.map(() => 0));
  daemon.kill('SIGTERM');
  expect(await daemon.exit, daemon.log).toBe(0);
}, 240_000);

/** Of each camera, in the next `MEASURED_MS`; those count that did not come. */
async function skippedBy(daemon: DaemonProcess): Promise<number[]> {
  const from = daemon.events.length;
  const before = await daemon.until('stats', () => true, from);
  const after = await daemon.until('stats', ({ uptimeMs }) => uptimeMs >= before.uptimeMs + MEASURED_MS, from);
  const perSecond = (after.uptimeMs - before.uptimeMs) / 1000;
  return CAMERAS.map((id) => {
    const [then, now] = [of(before, id), of(after, id)];
    const missing = 0.98 * FACE_VIDEO_FPS * perSecond - (now.frames - then.frames);
    return now.skipped - then.skipped + Math.max(0, missing);
  });
}

function of({ cameras }: Stats, id: string): Stats['cameras'][number] {
  const found = cameras.find(({ camera }) => camera === id);
  if (found === undefined) throw new Error(`no figures of ${id}`);
  return found;
}
