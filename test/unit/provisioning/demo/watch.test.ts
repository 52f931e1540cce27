import { expect, test } from 'vitest';
import { Watch } from '../../../../provisioning/demo/watch.ts';
import type { CameraStateEvent, Stats } from '../../../../shared/messages/events.ts';

const at = new Date(0).toISOString();

function camera(name: string, state: CameraStateEvent['state']): CameraStateEvent {
  return { type: 'camera', at, tenant: 't', camera: name, state, reason: null };
}

function stats(frames: number): Stats {
  const quantiles = { p50: 0, p95: 0, p99: 0 };
  return {
    type: 'stats',
    at,
    uptimeMs: 0,
    cameras: [{ tenant: 't', camera: 'one', state: 'live', frames, skipped: 0, tracks: 0, failures: 0, waiting: 0, fpsWanted: 5, fps: 5 }],
    latencyMs: quantiles,
    eventLoopMs: quantiles,
    queues: { inference: 0, embedder: 0 },
    rejections: {},
    provider: { name: 'cpu', fallbackReason: null },
    vaults: [],
    lastBackupAt: null,
    link: null,
    warnings: [],
  };
}

async function isKept(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);
}

test('is over when every camera was live and is not any more, and two reports came after that', async () => {
  const watch = new Watch({ cameras: 2, halfwayMs: 1000 });
  for (const event of [
    camera('one', 'connecting'),
    camera('two', 'connecting'),
    camera('one', 'live'),
    camera('one', 'failed'),
    stats(1),
    stats(1),
  ])
    watch.take(event);
  // The second camera was never live: being slow to connect is not being over.
  expect(await isKept(watch.over)).toBe(false);
  for (const event of [camera('two', 'live'), camera('two', 'ended'), stats(7)]) watch.take(event);
  expect(await isKept(watch.over)).toBe(false);
  watch.take(stats(8));
  expect(await isKept(watch.over)).toBe(true);
  expect(watch.stats.cameras[0]?.frames).toBe(8);
});

test('knows when half of the footage was seen', async () => {
  const watch = new Watch({ cameras: 1, halfwayMs: 1000 });
  watch.take(stats(4));
  expect(await isKept(watch.halfway)).toBe(false);
  watch.take(stats(5));
  expect(await isKept(watch.halfway)).toBe(true);
});

test('has no figures before the first report', () => {
  expect(() => new Watch({ cameras: 1, halfwayMs: 1 }).stats).toThrow('no figures');
});
