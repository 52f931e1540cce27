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
const SLICE_TYPES = new Set([1, 5]);

/** The slices of an H.264 byte stream (ITU-T H.264 annex B), in hex; the rest (parameter sets, delimiters) may be repeated on the way. */
function slices(stream: Buffer): string[] {
  const found: string[] = [];
  for (let at = stream.indexOf(START_CODE), next = -1; at >= 0; at = next) {
    next = stream.indexOf(START_CODE, at + 3);
    const unit = stream.subarray(at + 3, next < 0 ? undefined : next);
    // A zero before the next start code belongs to that code.
    if (SLICE_TYPES.has((unit[0] ?? 0) & 31)) found.push(unit.toString('hex').replace(/(00)+$/, ''));
  }
  return found;
}

const hasGStreamer = spawnSync('gst-inspect-1.0', ['--exists', 'rtspsrc']).status === 0;

test.skipIf(!hasGStreamer)(
  'GStreamer (skipped where gstreamer1.0-plugins-good is not installed) receives from the test camera, byte for byte, what it plays',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'securegate-rtsp-'));
    const video = await makeTestVideo({ pictures: 30, fps: 25 });
    const camera = new RtspCamera({ video, fps: 25, end: 'loop' });
    try {
      await camera.start();
      const file = join(folder, 'received.h264');
      const source = ['rtspsrc', `location=${camera.url}`, 'protocols=tcp', 'latency=0'];
      const sink = [
        'rtph264depay',
        '!',
        'video/x-h264,stream-format=byte-stream,alignment=au',
        '!',
        'identity',
        'eos-after=45',
        '!',
        'filesink',
        `location=${file}`,
      ];
      await promisify(execFile)('gst-launch-1.0', ['--quiet', ...source, '!', ...sink], { timeout: 25_000 });
      const sent = slices(video);
      expect(sent).toHaveLength(30);
      const received = slices(readFileSync(file));
      expect(received.length).toBeGreaterThan(40);
      expect(received).toEqual([...sent, ...sent].slice(0, received.length));
    } finally {
      await camera.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
