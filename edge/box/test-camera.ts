import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { encodeJpeg } from '../media/encode-jpeg.ts';
import { CameraConnection } from '../pipeline/decode/camera-connection.ts';
import { FramePool } from '../pipeline/decode/frame-pool.ts';
import type { Frame } from '../pipeline/frame.ts';
import type { Clock } from '../runtime/clock.ts';

const SILENCE_MS = 5000;
const LONGEST_MS = 15_000;
const MAX_WIDTH = 960;
/** The first picture that comes. */
const FPS = 30;

export interface CameraTest {
  readonly width: number;
  readonly height: number;
  /** From the call to the first decoded picture, milliseconds. */
  readonly openedMs: number;
  readonly jpeg: Buffer;
}

/**
 * Opens a network camera, takes one picture and closes it again.
 * @param url rtsp:// or rtsps:// address
 * @param caFile PEM file of the certificates by which an rtsps:// camera is believed; without it every one is
 * @throws {SecureGateError} `camera_unreachable`, `camera_silent`, `camera_ended`, `camera_unsupported`
 */
export async function testCamera(url: string, caFile: string | undefined, clock: Clock): Promise<CameraTest> {
  const startedAt = clock.monotonic();
  const abort = new AbortController();
  const pool = new FramePool(1);
  let frame: Frame | undefined;
  let openedMs = 0;
  const connection = new CameraConnection({
    tenant: '',
    camera: 'test',
    url,
    caFile,
    fps: FPS,
    silenceMs: SILENCE_MS,
    pool,
    clock,
    onFrame: (first) => {
      frame = first;
      openedMs = clock.monotonic() - startedAt;
      abort.abort();
    },
    onSkipped: () => undefined,
    onLive: () => undefined,
  });
  try {
    await connection.run(AbortSignal.any([abort.signal, AbortSignal.timeout(LONGEST_MS)]));
    if (frame === undefined) throw new SecureGateError('camera_silent', 'The camera sent no picture in time');
    const { jpeg } = await encodeJpeg(frame, MAX_WIDTH);
    return { width: frame.width, height: frame.height, openedMs, jpeg };
  } finally {
    frame?.release();
    pool.close();
  }
}
