import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Log } from 'node-av';
import { AV_LOG_QUIET } from 'node-av/constants';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { resize } from '../../edge/inference/resize.ts';
import { Camera } from '../../edge/pipeline/decode/camera.ts';
import { CameraConnection, type CameraConnectionOptions } from '../../edge/pipeline/decode/camera-connection.ts';
import { FramePool } from '../../edge/pipeline/decode/frame-pool.ts';
import type { Frame } from '../../edge/pipeline/frame.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { RtspCamera } from '../../provisioning/demo/camera/rtsp-camera.ts';
import { VideoEncoder } from '../../provisioning/demo/footage/video-encoder.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { makeTestVideo, testVideoLuma } from '../helpers/make-test-video.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';

const FPS = 25;
const PATIENTLY = { timeout: 20_000 };
let video: Buffer;
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  video = await makeTestVideo({ pictures: 50, fps: FPS });
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startSource(end: 'once' | 'loop' = 'loop', film = video): Promise<RtspCamera> {
  const source = new RtspCamera({ video: film, fps: FPS, end });
  await source.start();
  cleanups.push(() => source.stop());
  return source;
}

function connect(url: string, options: Partial<CameraConnectionOptions> = {}) {
  const seen: { mediaMs: number; green: number; frame: Frame }[] = [];
  const abort = new AbortController();
  let skipped = 0;
  const connection = new CameraConnection({
    tenant: 'north',
    camera: 'door',
    url,
    fps: 5,
    silenceMs: 1500,
    pool: new FramePool(4),
    clock: systemClock,
    onFrame: (frame) => {
      const centre = ((frame.height >> 1) * frame.width + (frame.width >> 1)) * 3;
      seen.push({ mediaMs: frame.mediaMs, green: frame.data[centre + 1] ?? 0, frame });
      frame.release();
    },
    onSkipped: () => {
      skipped += 1;
    },
    onLive: () => undefined,
    ...options,
  });
  const outcome = connection.run(abort.signal);
  // Looked at later: until then it must not count as unhandled.
  outcome.catch(() => undefined);
  return { seen, abort, outcome, skipped: () => skipped };
}

describe('a camera over RTSP', () => {
  test.each(['h264', 'h265'] as const)('is sampled at the wanted rate by presentation time, with the right pixels (%s)', async (codec) => {
    const source = await startSource('once', await makeTestVideo({ pictures: 50, fps: FPS, codec }));
    const { seen, outcome } = connect(source.url);
    expect(await outcome).toBe('ended');
    expect(seen.length).toBe(10);
    const gaps = seen.slice(1).map(({ mediaMs }, index) => mediaMs - (seen[index]?.mediaMs ?? 0));
    expect(gaps.every((gap) => gap === 200)).toBe(true);
    const first = seen[0]?.frame;
    expect(first).toMatchObject({ tenant: 'north', camera: 'door', width: 320, height: 180, sequence: 0 });
    // Studio-range luma becomes full-range RGB; noise of the test video and the codec blur a little.
    const offset = [0, 1, 2].find((shift) => Math.abs((testVideoLuma(shift) - 16) * 1.164 - (seen[0]?.green ?? 0)) < 14);
    expect(offset).toBeDefined();
    for (const [index, { green }] of seen.entries()) {
      expect(Math.abs((testVideoLuma(index * 5 + (offset ?? 0)) - 16) * 1.164 - green)).toBeLessThan(14);
    }
  });

  test.each([
    ['half as large', 320, 180, { width: 160, height: 90 }],
    ['stretched', 638, 358, { width: 320, height: 240 }],
    ['larger one way', 320, 180, { width: 160, height: 240 }],
  ])('comes with a reduced picture of the same moment, %s', async (_, width, height, reducedSize) => {
    const source = new RtspCamera({ video: await makeTestVideo({ pictures: 50, fps: FPS, width, height }), fps: FPS, end: 'once' });
    await source.start();
    cleanups.push(() => source.stop());
    const apart: number[] = [];
    const { outcome } = connect(source.url, {
      reducedSize: (frame) => {
        expect(frame).toEqual({ width, height });
        return reducedSize;
      },
      onFrame: (frame) => {
        expect(frame.reduced).toMatchObject(reducedSize);
        const wanted = resize(frame, reducedSize.width, reducedSize.height).data;
        const got = frame.reduced?.data ?? new Uint8Array();
        expect(got.length).toBe(wanted.length);
        apart.push(wanted.reduce((sum, value, index) => sum + Math.abs(value - (got[index] ?? 0)), 0) / wanted.length);
        frame.release();
      },
    });
    expect(await outcome).toBe('ended');
    expect(apart.length).toBe(10);
    // One picture is 15 levels brighter than the one before.
    expect(Math.max(...apart)).toBeLessThan(2);
  });

  test('has no pixels but those that are wanted, and those of no other moment', async () => {
    const source = await startSource('once');
    const asked: number[] = [];
    const given: { length: number; green: number | undefined }[] = [];
    const { outcome } = connect(source.url, {
      pool: new FramePool(1),
      reducedSize: () => ({ width: 32, height: 24 }),
      wanted: ({ data }, mediaMs) => {
        asked.push(data[1] ?? 0);
        return mediaMs === 1000 ? 'nothing' : mediaMs % 400 === 0 ? 'whole' : 'reduced';
      },
      onFrame: (frame) => {
        given.push({ length: frame.data.length, green: frame.reduced?.data[1] });
        frame.release();
      },
    });
    expect(await outcome).toBe('ended');
    expect(given.map(({ length }) => length)).toEqual([0, 1, 2, 3, 4].flatMap(() => [320 * 180 * 3, 0]));
    // What was asked about is what came, and each moment is brighter than the one before.
    expect(given.map(({ green }) => green)).toEqual(asked.with(5, undefined as never));
    expect(asked.toSorted((a, b) => a - b)).toEqual(asked);
    expect(new Set(asked).size).toBe(10);
  });

  test.each([
    [360, 640],
    [638, 358],
  ])('of %dx%d pixels, no multiple of a vector, writes nothing past the memory of its pictures', async (width, height) => {
    const source = new RtspCamera({ video: await makeTestVideo({ pictures: 10, fps: FPS, width, height }), fps: FPS, end: 'once' });
    await source.start();
    cleanups.push(() => source.stop());
    const reduced = { width: 322, height: 241 };
    const bytes = (width * height + reduced.width * reduced.height) * 3;
    // What the pool gives to a picture, and behind it something that belongs to others.
    const given = new FramePool(1).acquire(bytes)?.buffer.byteLength ?? 0;
    const memory = Buffer.alloc(given + 4096, 7);
    class GuardedPool extends FramePool {
      override acquire(): Buffer {
        return memory.subarray(0, bytes);
      }
    }
    const { seen, outcome } = connect(source.url, { pool: new GuardedPool(1), reducedSize: () => reduced });
    expect(await outcome).toBe('ended');
    expect(seen.length).toBeGreaterThan(0);
    expect(memory.subarray(given).every((byte) => byte === 7)).toBe(true);
  });

  test('that falls silent is given up, while another one keeps its rate', async () => {
    const [stalling, steady] = [await startSource(), await startSource()];
    const silent = connect(stalling.url, { silenceMs: 600 });
    const other = connect(steady.url);
    await vi.waitUntil(() => silent.seen.length >= 2, PATIENTLY);
    stalling.stall();
    const before = other.seen.length;
    const started = performance.now();
    await expect(silent.outcome).rejects.toMatchObject({ code: 'camera_silent' });
    expect(performance.now() - started).toBeLessThan(10_000);
    await vi.waitUntil(() => other.seen.length >= before + 5, PATIENTLY);
    other.abort.abort();
    expect(await other.outcome).toBe('aborted');
  });

  test('is not given up for a standstill of the box itself', async () => {
    const source = await startSource();
    const { seen, abort, outcome } = connect(source.url, { silenceMs: 600 });
    await vi.waitUntil(() => seen.length >= 2, PATIENTLY);
    const until = performance.now() + 1500;
    while (performance.now() < until);
    const before = seen.length;
    await vi.waitUntil(() => seen.length >= before + 5, PATIENTLY);
    abort.abort();
    expect(await outcome).toBe('aborted');
  });

  test('that nobody listens for is unreachable', async () => {
    const source = await startSource();
    const { url } = source;
    await source.stop();
    await expect(connect(url).outcome).rejects.toMatchObject({ code: 'camera_unreachable' });
  });

  test('that takes the call and says nothing is unreachable after the silence', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(async () => server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const hanging = connect(`rtsp://127.0.0.1:${port}/x`, { silenceMs: 500 });
    await expect(hanging.outcome).rejects.toMatchObject({ code: 'camera_unreachable' });
    const stopped = connect(`rtsp://127.0.0.1:${port}/x`, { silenceMs: 60_000 });
    stopped.abort.abort();
    expect(await stopped.outcome).toBe('aborted');
  });

  test('hands out no more frames than it has buffers, and counts the rest as skipped', async () => {
    const source = await startSource('once');
    const kept: Frame[] = [];
    const { outcome, skipped } = connect(source.url, { pool: new FramePool(3), onFrame: (frame) => kept.push(frame) });
    expect(await outcome).toBe('ended');
    expect(kept.length).toBe(3);
    expect(skipped()).toBe(7);
  });
});

test('a bare H.264 file, which tells no times, is played at its rate', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'securegate-decode-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const file = join(folder, 'video.h264');
  await writeFile(file, video);
  const { seen, outcome } = connect(file);
  expect(await outcome).toBe('ended');
  expect(seen.map(({ mediaMs }) => mediaMs)).toEqual([0, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800]);
});

test('a file that is no video is unsupported, and a missing one unreachable', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'securegate-decode-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const file = join(folder, 'not-a-video.mp4');
  await writeFile(file, 'just words, again and again '.repeat(1000));
  await expect(connect(file).outcome).rejects.toMatchObject({ code: 'camera_unsupported' });
  await expect(connect(join(folder, 'missing.mp4')).outcome).rejects.toMatchObject({ code: 'camera_unreachable' });
});

test('of files too, only formats of video reach FFmpeg: some decoders do not survive what they are given', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'securegate-decode-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const files = {
    'art.txt': 'text is a film to FFmpeg '.repeat(200),
    'list.mp4': 'ffconcat version 1.0\nfile art.txt\n',
    'one.ppm': 'P6 1 1 255\nabc',
  };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content);
    await expect(connect(join(folder, name)).outcome, name).rejects.toMatchObject({ code: 'camera_unsupported' });
  }
});

describe('a hostile camera', () => {
  test('cannot choose its decoder', async () => {
    // Payload type 26 is Motion JPEG (RFC 3551).
    const sdp = 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:one\r\n';
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        const request = chunk.toString();
        const head = `RTSP/1.0 200 OK\r\nCSeq: ${/CSeq: (\d+)/.exec(request)?.[1]}\r\nSession: 1\r\n`;
        if (request.startsWith('DESCRIBE'))
          socket.write(`${head}Content-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`);
        else socket.write(`${head}Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(async () => server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await expect(connect(`rtsp://127.0.0.1:${port}/x`).outcome).rejects.toMatchObject({ code: 'camera_unsupported' });
  });

  test('cannot fill the memory with pictures of a size that no camera has', async () => {
    const format = { width: 8192, height: 5120, fps: 5 };
    const encoder = new VideoEncoder(format);
    await encoder.start();
    Log.setLevel(AV_LOG_QUIET);
    await encoder.encode(Buffer.alloc((format.width * format.height * 3) / 2, 128));
    const source = new RtspCamera({ video: await encoder.finish(), fps: format.fps, end: 'loop' });
    await source.start();
    cleanups.push(() => source.stop());
    const { outcome, seen } = connect(source.url, { silenceMs: 1200 });
    await expect(outcome).rejects.toMatchObject({ code: 'camera_unsupported' });
    expect(seen).toEqual([]);
  });
});

test('a camera that dies is called again until it is stopped', async () => {
  const source = await startSource();
  const states: string[] = [];
  let frames = 0;
  let lastPixels: readonly (Uint8Array | undefined)[] = [];
  const camera = new Camera({
    tenant: 'north',
    camera: 'door',
    url: source.url,
    fps: 5,
    reducedSize: () => ({ width: 32, height: 24 }),
    wanted: () => 'whole',
    silenceMs: 1500,
    buffers: 4,
    endsForGood: false,
    clock: systemClock,
    backOff: new BackOff(50, 200),
    logger: testLogger(),
    onFrame: (frame) => {
      frames += 1;
      lastPixels = [frame.data, frame.reduced?.data];
      frame.release();
    },
    onSkipped: () => undefined,
    onState: (state, reason) => states.push(reason === null ? state : `${state}:${reason}`),
  });
  camera.start();
  await vi.waitUntil(() => frames >= 2, PATIENTLY);
  source.dropConnections();
  source.refuse();
  await vi.waitUntil(() => states.includes('failed:camera_unreachable'), PATIENTLY);
  expect(lastPixels.map((pixels) => pixels?.every((byte) => byte === 0))).toEqual([true, true]);
  source.accept();
  const before = frames;
  await vi.waitUntil(() => frames >= before + 2, PATIENTLY);
  await camera.stop();
  expect(states.slice(0, 3)).toEqual(['connecting', 'live', 'failed:camera_ended']);
  expect(states.slice(-3)).toEqual(['connecting', 'live', 'stopped']);
});

test('pictures are overwritten when the pool is closed, also those that come back later', () => {
  const pool = new FramePool(2);
  const [free, held] = [pool.acquire(12), pool.acquire(12)];
  if (free === undefined || held === undefined) throw new Error('the pool gave too little');
  free.fill(7);
  held.fill(7);
  pool.release(free);
  pool.close();
  expect(free.every((byte) => byte === 0)).toBe(true);
  expect(held.every((byte) => byte === 7)).toBe(true);
  pool.release(held);
  expect(held.every((byte) => byte === 0)).toBe(true);
});
