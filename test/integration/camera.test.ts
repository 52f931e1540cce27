import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dictionary, FFmpegError, FormatContext, Log, Packet } from 'node-av';
import { AV_LOG_QUIET, AV_NOPTS_VALUE, AVERROR_EOF } from 'node-av/constants';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RtspCamera, type RtspCameraOptions } from '../../provisioning/demo/camera/rtsp-camera.ts';
import { startCameras } from '../../provisioning/demo/camera/start-cameras.ts';
import { makeTestVideo } from '../helpers/make-test-video.ts';

const FPS = 25;
const RTP_TICKS_PER_MS = 90;
const PICTURES = 40;
let video: Buffer;
const cleanups: (() => Promise<void>)[] = [];

beforeAll(async () => {
  video = await makeTestVideo({ pictures: PICTURES, fps: FPS });
  Log.setLevel(AV_LOG_QUIET);
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startCamera(options: Partial<RtspCameraOptions> = {}): Promise<RtspCamera> {
  const camera = new RtspCamera({ video, fps: FPS, end: 'once', ...options });
  await camera.start();
  cleanups.push(() => camera.stop());
  return camera;
}

/** FFmpeg as a client of the camera. */
class Client {
  readonly input = new FormatContext();
  readonly packet = new Packet();
  readonly ptsMs: number[] = [];
  bytes = 0;

  async open(url: string): Promise<number> {
    this.input.allocContext();
    this.packet.alloc();
    cleanups.push(async () => {
      await this.input.closeInput();
      this.packet.free();
    });
    const options = { rtsp_transport: 'tcp', timeout: '20000000', probesize: '32768', analyzeduration: '0' };
    return this.input.openInput(url, null, Dictionary.fromObject(options));
  }

  /** Reads until `pictures` were read; otherwise returns FFmpeg's code. */
  async read(pictures: number): Promise<number> {
    while (this.ptsMs.length < pictures) {
      const code = await this.input.readFrame(this.packet);
      if (code < 0) return code;
      // FFmpeg gives the first picture of an H.264 stream over RTSP no time; all others count from it.
      const first = this.ptsMs.length === 0 && this.packet.pts === AV_NOPTS_VALUE;
      this.ptsMs.push(first ? 0 : Number(this.packet.pts) / RTP_TICKS_PER_MS);
      this.bytes += this.packet.size;
      this.packet.unref();
    }
    return 0;
  }
}

const expectedPts = (pictures: number): number[] => Array.from({ length: pictures }, (_, index) => (index * 1000) / FPS);

describe('the test camera, with FFmpeg as its client', () => {
  test.each(['h264', 'h265'] as const)('plays every picture with its time and ends with EOF (%s)', async (codec) => {
    const film = await makeTestVideo({ pictures: PICTURES, fps: FPS, codec });
    const camera = await startCamera({ video: film });
    const client = new Client();
    FFmpegError.throwIfError(await client.open(camera.url), 'open');
    expect(await client.read(PICTURES + 1)).toBe(AVERROR_EOF);
    expect(client.ptsMs).toEqual(expectedPts(PICTURES));
    // All but the start codes and parameter sets arrives: large pictures survive their fragmentation.
    expect(client.bytes).toBeGreaterThan(film.length * 0.95);
  });

  test('loops with times that go on', async () => {
    const camera = await startCamera({ end: 'loop' });
    const client = new Client();
    FFmpegError.throwIfError(await client.open(camera.url), 'open');
    expect(await client.read(PICTURES + 10)).toBe(0);
    expect(client.ptsMs).toEqual(expectedPts(PICTURES + 10));
  });

  test('plays to each client from the first picture', async () => {
    const camera = await startCamera();
    const first = new Client();
    FFmpegError.throwIfError(await first.open(camera.url), 'open');
    await first.read(10);
    const second = new Client();
    FFmpegError.throwIfError(await second.open(camera.url), 'open');
    await second.read(5);
    expect(camera.clients).toBe(2);
    expect(second.ptsMs).toEqual(expectedPts(5));
  });

  test('asks for credentials', async () => {
    const camera = await startCamera({ credentials: { user: 'guard', password: 'p4ss' } });
    expect(await new Client().open(camera.url)).toBeLessThan(0);
    expect(await new Client().open(camera.url.replace('//', '//guard:wrong@'))).toBeLessThan(0);
    const client = new Client();
    expect(await client.open(camera.url.replace('//', '//guard:p4ss@'))).toBe(0);
    expect(await client.read(3)).toBe(0);
  });

  test('falls silent and comes back', async () => {
    const camera = await startCamera();
    const client = new Client();
    FFmpegError.throwIfError(await client.open(camera.url), 'open');
    await client.read(5);
    camera.stall();
    // A second client connects but is never answered.
    const other = new Client();
    const opening = other.open(camera.url);
    const waiting = client.read(PICTURES);
    await waitUntil(() => camera.clients === 2);
    const read = client.ptsMs.length;
    other.input.interrupt();
    expect(await opening).toBeLessThan(0);
    expect(client.ptsMs.length - read).toBeLessThanOrEqual(1);
    camera.resume();
    expect(await waiting).toBe(0);
    expect(client.ptsMs).toEqual(expectedPts(PICTURES));
  });

  test('drops its clients in mid-stream and refuses new ones', async () => {
    const camera = await startCamera();
    const client = new Client();
    FFmpegError.throwIfError(await client.open(camera.url), 'open');
    await client.read(5);
    camera.refuse();
    camera.dropConnections();
    expect(await client.read(PICTURES)).toBeLessThan(0);
    expect(client.ptsMs.length).toBeLessThan(PICTURES);
    expect(await new Client().open(camera.url)).toBeLessThan(0);
    camera.accept();
    expect(await new Client().open(camera.url)).toBe(0);
  });

  test('forgets its clients and serves new ones', async () => {
    const camera = await startCamera({ end: 'loop' });
    const forgotten = new Client();
    FFmpegError.throwIfError(await forgotten.open(camera.url), 'open');
    await forgotten.read(5);
    camera.forgetClients();
    const waiting = forgotten.read(PICTURES);
    const fresh = new Client();
    FFmpegError.throwIfError(await fresh.open(camera.url), 'open');
    expect(await fresh.read(PICTURES)).toBe(0);
    forgotten.input.interrupt();
    expect(await waiting).toBeLessThan(0);
  });

  test('loses packets, cuts pictures short and shows another video as it is told', async () => {
    const camera = await startCamera({ end: 'loop' });
    const bytesOf = async (): Promise<number> => {
      const client = new Client();
      FFmpegError.throwIfError(await client.open(camera.url), 'open');
      await client.read(PICTURES / 2);
      return client.bytes;
    };
    const whole = await bytesOf();
    camera.damage({ truncated: true });
    expect(await bytesOf()).toBeLessThan(whole * 0.9);
    camera.damage({ lost: 0.5 });
    const losing = new Client();
    FFmpegError.throwIfError(await losing.open(camera.url), 'open');
    await losing.read(PICTURES / 2);
    expect(losing.ptsMs.at(-1)).toBeGreaterThan(expectedPts(PICTURES / 2).at(-1) ?? 0);
    camera.damage({});
    camera.show(await makeTestVideo({ pictures: PICTURES, fps: FPS, width: 64, height: 48 }));
    expect(await bytesOf()).toBeLessThan(whole / 4);
  });

  test('is gone once it is stopped', async () => {
    const camera = await startCamera();
    const { url } = camera;
    await camera.stop();
    expect(await new Client().open(url)).toBeLessThan(0);
  });
});

describe('startCameras', () => {
  test('plays each video once in a process of its own, and is then off', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cameras-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const file = join(folder, 'video.h264');
    await writeFile(file, video);
    const cameras = await startCameras({ videos: { left: file, right: file }, fps: FPS, end: 'once' });
    try {
      expect(Object.keys(cameras.urls)).toEqual(['left', 'right']);
      const client = new Client();
      FFmpegError.throwIfError(await client.open(cameras.urls.left ?? ''), 'open');
      expect(await client.read(PICTURES + 1)).toBe(AVERROR_EOF);
      expect(client.ptsMs.length).toBe(PICTURES);
      expect(await new Client().open(cameras.urls.left ?? '')).toBeLessThan(0);
      expect(await new Client().open(cameras.urls.right ?? '')).toBe(0);
    } finally {
      await cameras.stop();
    }
    expect(await new Client().open(cameras.urls.right ?? '')).toBeLessThan(0);
  });

  test('says when a video cannot be played', async () => {
    await expect(startCameras({ videos: { left: '/nowhere' }, fps: FPS, end: 'loop' })).rejects.toMatchObject({ code: 'demo_failed' });
  });
});

async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
