import type { ErrorCode } from '../../../shared/errors/codes.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { CameraStateEvent } from '../../../shared/messages/events.ts';
import type { BackOff } from '../../../shared/runtime/back-off.ts';
import type { Size } from '../../inference/fit-image.ts';
import type { RgbImage } from '../../inference/image.ts';
import type { Clock } from '../../runtime/clock.ts';
import { pause } from '../../runtime/pause.ts';
import type { Frame, WantedPixels } from '../frame.ts';
import { CameraConnection } from './camera-connection.ts';
import { FramePool } from './frame-pool.ts';

export interface CameraOptions {
  readonly tenant: string;
  readonly camera: string;
  readonly url: string;
  /** PEM file of the certificates by which an rtsps:// camera is believed; without it every one is. */
  readonly caFile?: string | undefined;
  readonly fps: number;
  /** Size at which the whole of a frame is looked at, by the models of this moment. */
  readonly reducedSize: (frame: Size) => Size;
  /** What is wanted of a moment, by its reduced picture. */
  readonly wanted: (reduced: RgbImage, mediaMs: number) => WantedPixels;
  readonly silenceMs: number;
  /** Pictures that may be in memory at once. */
  readonly buffers: number;
  /** A file ends; a network camera that ends its stream is called again, unless this says that its end is the end. */
  readonly endsForGood: boolean;
  readonly clock: Clock;
  readonly backOff: BackOff;
  readonly logger: Logger;
  readonly onFrame: (frame: Frame) => void;
  readonly onSkipped: () => void;
  readonly onState: (state: CameraStateEvent['state'], reason: string | null) => void;
}

/** A connection that held this long was a good one: the next failure starts with a short pause again. */
const STEADY_MS = 10_000;

/** A camera that is kept alive: it is called again, with growing pauses, whenever its connection fails. */
export class Camera {
  readonly #options: CameraOptions;
  readonly #pool: FramePool;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #liveSince: number | undefined;
  /** Why it failed the last time, until it was live again. */
  #trouble: ErrorCode | undefined;

  constructor(options: CameraOptions) {
    this.#options = options;
    this.#pool = new FramePool(options.buffers);
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const { onState, logger, backOff, clock, endsForGood } = this.#options;
    while (!signal.aborted) {
      onState('connecting', null);
      try {
        const outcome = await this.#connection().run(signal);
        if (outcome === 'aborted') break;
        if (endsForGood) {
          onState('ended', null);
          return;
        }
        onState('failed', 'camera_ended');
      } catch (error) {
        const { code, details } = SecureGateError.from(error);
        // A camera may be away for days and is called every few seconds: a line when it goes, not one for each call.
        if (code !== this.#trouble)
          logger.warn({ camera: this.#options.camera, tenant: this.#options.tenant, code, ...details }, 'camera failed');
        this.#trouble = code;
        onState('failed', code);
      } finally {
        // A camera may stay away for days; its last pictures must not wait for it in memory.
        this.#pool.close();
      }
      if (this.#liveSince !== undefined && clock.monotonic() - this.#liveSince > STEADY_MS) backOff.reset();
      await pause(backOff.next(), signal);
    }
    onState('stopped', null);
  }

  #connection(): CameraConnection {
    const { onState, clock } = this.#options;
    this.#liveSince = undefined;
    return new CameraConnection({
      ...this.#options,
      pool: this.#pool,
      onLive: () => {
        this.#liveSince = clock.monotonic();
        this.#trouble = undefined;
        onState('live', null);
      },
    });
  }
}
