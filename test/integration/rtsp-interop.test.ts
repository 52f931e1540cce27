import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { RtspCamera } from '../../provisioning/demo/camera/rtsp-camera.ts';
import { makeTestVideo } from '../helpers/make-test-video.ts';

const START_CODE = Buffer.from([0, 0, 1]);
const IS_SLICE = {
  h264: (first: number) => [1, 5].includes(first & 31),
  h265: (first: number) => first >> 1 < 32,
};
type Codec = keyof typeof IS_SLICE;

/** The slices of a byte stream (annex B of ITU-T H.264 and H.265), in hex; the rest (parameter sets, delimiters) may be repeated on the way. */
function slices(stream: Buffer, codec: Codec): string[] {
  const found: string[] = [];
  for (let at = stream.indexOf(START_CODE), next = -1; at >= 0; at = next) {
    next = stream.indexOf(START_CODE, at + 3);
    const unit = stream.subarray(at + 3, next < 0 ? undefined : next);
    // A zero before the next start code belongs to that code.
    if (IS_SLICE[codec](unit[0] ?? 0)) found.push(unit.toString('hex').replace(/(00)+$/, ''));
  }
  return found;
}

const hasGStreamer = spawnSync('gst-inspect-1.0', ['--exists', 'rtspsrc']).status === 0;

test.skipIf(!hasGStreamer).each<Codec>(['h264', 'h265'])(
  'GStreamer (skipped where gstreamer1.0-plugins-good is not installed) receives from the test camera, byte for byte, what it plays: %s',
  async (codec) => {
    const folder = await mkdtemp(join(tmpdir(), 'securegate-rtsp-'));
    const video = await makeTestVideo({ pictures: 30, fps: 25, codec });
    const camera = new RtspCamera({ video, fps: 25, end: 'loop' });
    try {
      await camera.start();
      const file = join(folder, 'received');
      const source = ['rtspsrc', `location=${camera.url}`, 'protocols=tcp', 'latency=0'];
      const sink = [
        `rtp${codec}depay`,
        '!',
        `video/x-${codec},stream-format=byte-stream,alignment=au`,
        '!',
        'identity',
        'eos-after=45',
        '!',
        'filesink',
        `location=${file}`,
      ];
      await promisify(execFile)('gst-launch-1.0', ['--quiet', ...source, '!', ...sink], { timeout: 50_000 });
      const sent = slices(video, codec);
      expect(sent).toHaveLength(30);
      const received = slices(readFileSync(file), codec);
      expect(received.length).toBeGreaterThan(40);
      expect(received).toEqual([...sent, ...sent].slice(0, received.length));
    } finally {
      await camera.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
