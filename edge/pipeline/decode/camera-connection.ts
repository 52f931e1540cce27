import {
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
  AV_LOG_QUIET,
  AV_NOPTS_VALUE,
  type AVCodecID,
  AVERROR_EINVAL,
  AVERROR_EOF,
  AVERROR_INVALIDDATA,
  AVMEDIA_TYPE_VIDEO,
} from 'node-av/constants';
import { Codec, CodecContext, Dictionary, FFmpegError, FormatContext, Log, Packet, Frame as Picture } from 'node-av/lib';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Size } from '../../inference/fit-image.ts';
import type { RgbImage } from '../../inference/image.ts';
import type { Clock } from '../../runtime/clock.ts';
import { pause } from '../../runtime/pause.ts';
import type { Frame, WantedPixels } from '../frame.ts';
import type { FramePool } from './frame-pool.ts';
import { frameSize } from './frame-size.ts';
import { isNetworkCamera } from './is-network-camera.ts';
import { PictureClock } from './picture-clock.ts';
import { ReadingRest } from './reading-rest.ts';
import { RgbConverter } from './rgb-converter.ts';
import { Sampler } from './sampler.ts';

// FFmpeg's own messages may hold the camera's address with its credentials; errors are told by their codes instead.
Log.setLevel(AV_LOG_QUIET);

/**
 * The sender chooses what FFmpeg runs: of its hundreds of formats and decoders none but these is ever reached, since one that
 * falls over takes every tenant's cameras with it.
 */
const CODECS: ReadonlySet<AVCodecID> = new Set<AVCodecID>([AV_CODEC_ID_H264, AV_CODEC_ID_HEVC]);
const CODEC_NAMES = 'h264,hevc';
const FILE_FORMATS = 'mov,matroska,mpegts,h264,hevc';
/** More than 8K. A decoder keeps up to 16 pictures: a stream of a few kilobytes that claims a huge size would take all of the memory. */
const MAX_PIXELS = 40_000_000;
/** Silences in which packets may come and no picture: the first whole one comes up to some seconds after the call. */
const BLIND_SILENCES = 10;
const WATCH_EVERY_MS = 100;

export interface CameraConnectionOptions {
  readonly tenant: string;
  readonly camera: string;
  /** rtsp:// or rtsps:// address, or the path of a file, which is played in real time. */
  readonly url: string;
  /** PEM file of the certificates by which an rtsps:// camera is believed; without it every one is. */
  readonly caFile?: string | undefined;
  readonly fps: number;
  /** Size at which the whole of a frame is looked at, by the models of this moment; without it frames come without a reduced picture. */
  readonly reducedSize?: ((frame: Size) => Size) | undefined;
  /** Longest time without a packet of the video, milliseconds. */
  readonly silenceMs: number;
  /** What is wanted of a moment, by its reduced picture; without it the whole of every one. */
  readonly wanted?: ((reduced: RgbImage, mediaMs: number) => WantedPixels) | undefined;
  readonly pool: FramePool;
  readonly clock: Clock;
  readonly onFrame: (frame: Frame) => void;
  /** Called for each picture that was due but found no free buffer. */
  readonly onSkipped: () => void;
  /** Called once, when the first picture is decoded. */
  readonly onLive: () => void;
}

/**
 * One connection to one camera, from opening to its end. Reading and decoding run in FFmpeg on libuv's threads;
 * a watchdog interrupts whatever hangs. Used once.
 */
export class CameraConnection {
  readonly #options: CameraConnectionOptions;
  readonly #input = new FormatContext();
  readonly #packet = new Packet();
  readonly #picture = new Picture();
  readonly #sampler: Sampler;
  readonly #rest: ReadingRest;
  readonly #converter = new RgbConverter();
  readonly #reducer = new RgbConverter();
  readonly #pictureClock = new PictureClock();
  #decoder: CodecContext | undefined;
  #interrupted: 'silent' | 'blind' | 'aborted' | undefined;
  #lastProgress = 0;
  #lastPicture = 0;
  #sequence = 0;
  #live = false;
  /** For packets, since the last sample. */
  #waitedMs = 0;
  /** Before the next packet is read. */
  #restMs = 0;
  #paceFrom: number | undefined;

  constructor(options: CameraConnectionOptions) {
    this.#options = options;
    this.#sampler = new Sampler(options.fps);
    this.#rest = new ReadingRest(options.fps);
  }

  /**
   * Reads until the stream ends or `signal` is aborted.
   * @returns `ended` at the regular end of the stream, `aborted` on the signal
   * @throws {SecureGateError} `camera_unreachable`, `camera_silent`, `camera_ended`, `camera_unsupported`
   */
  async run(signal: AbortSignal): Promise<'ended' | 'aborted'> {
    if (signal.aborted) return 'aborted';
    const { clock, silenceMs } = this.#options;
    this.#input.allocContext();
    const interrupt = (why: 'silent' | 'blind' | 'aborted'): void => {
      this.#interrupted ??= why;
      this.#input.interrupt();
    };
    this.#lastProgress = clock.monotonic();
    this.#lastPicture = this.#lastProgress;
    let lookedAt = this.#lastProgress;
    const watchdog = setInterval(() => {
      const now = clock.monotonic();
      // While this thread stood still it could not notice what arrived: that time is no camera's silence.
      const stoodStill = Math.max(0, now - lookedAt - 2 * WATCH_EVERY_MS);
      lookedAt = now;
      this.#lastProgress += stoodStill;
      this.#lastPicture += stoodStill;
      if (now - this.#lastProgress > silenceMs) interrupt('silent');
      if (now - this.#lastPicture > silenceMs * BLIND_SILENCES) interrupt('blind');
    }, WATCH_EVERY_MS);
    const onAbort = (): void => interrupt('aborted');
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const streamIndex = await this.#open();
      await this.#read(streamIndex, signal);
      return 'ended';
    } catch (error) {
      if (this.#interrupted === 'aborted') return 'aborted';
      if (this.#interrupted === 'silent') {
        throw new SecureGateError(this.#live ? 'camera_silent' : 'camera_unreachable', 'No packet arrived in time', { cause: error });
      }
      if (this.#interrupted === 'blind') {
        throw new SecureGateError('camera_unsupported', 'Packets arrive, but no picture can be decoded', { cause: error });
      }
      throw error;
    } finally {
      clearInterval(watchdog);
      signal.removeEventListener('abort', onAbort);
      await this.#close();
    }
  }

  get #isNetwork(): boolean {
    return isNetworkCamera(this.#options.url);
  }

  async #open(): Promise<number> {
    const { caFile } = this.#options;
    using options = Dictionary.fromObject(
      this.#isNetwork
        ? {
            rtsp_transport: 'tcp',
            format_whitelist: 'rtsp',
            codec_whitelist: CODEC_NAMES,
            protocol_whitelist: 'rtsp,rtsps,rtp,tcp,tls,crypto',
            ...(caFile === undefined ? {} : { tls_verify: '1', ca_file: caFile }),
          }
        : { protocol_whitelist: 'file', format_whitelist: FILE_FORMATS, codec_whitelist: CODEC_NAMES },
    );
    const opened = await this.#input.openInput(this.#options.url, null, options);
    // EINVAL: a format that is not let through.
    const unsupported = opened === AVERROR_INVALIDDATA || opened === AVERROR_EINVAL;
    this.#check(opened, unsupported ? 'camera_unsupported' : 'camera_unreachable', 'open');
    // A session description says all that is needed; looking into the stream would decode it before any limit holds.
    if (!this.#isNetwork) this.#check(await this.#input.findStreamInfo(), 'camera_unsupported', 'find streams');
    const streamIndex = this.#input.findBestStream(AVMEDIA_TYPE_VIDEO);
    const stream = this.#input.streams[streamIndex];
    if (stream === undefined) throw new SecureGateError('camera_unsupported', 'The stream has no video');
    const codec = CODECS.has(stream.codecpar.codecId) ? Codec.findDecoder(stream.codecpar.codecId) : null;
    if (codec === null) throw new SecureGateError('camera_unsupported', 'No decoder for this codec');
    const decoder = new CodecContext();
    decoder.allocContext3(codec);
    this.#decoder = decoder;
    this.#check(decoder.parametersToContext(stream.codecpar), 'camera_unsupported', 'read the codec parameters');
    decoder.threadCount = 1;
    decoder.pktTimebase = stream.timeBase;
    this.#check(decoder.setOption('max_pixels', String(MAX_PIXELS)), 'camera_unsupported', 'limit the decoder');
    this.#check(await decoder.open2(codec), 'camera_unsupported', 'open the decoder');
    return streamIndex;
  }

  async #read(streamIndex: number, signal: AbortSignal): Promise<void> {
    this.#packet.alloc();
    this.#picture.alloc();
    const { clock } = this.#options;
    for (;;) {
      if (this.#restMs > 0) await pause(this.#restMs, signal);
      this.#restMs = 0;
      const askedAt = clock.monotonic();
      const code = await this.#input.readFrame(this.#packet);
      this.#waitedMs += clock.monotonic() - askedAt;
      if (code === AVERROR_EOF) break;
      this.#check(code, 'camera_ended', 'read');
      try {
        // Sound alone is no sign of life: a camera whose pictures stopped is silent.
        if (this.#packet.streamIndex !== streamIndex) continue;
        this.#lastProgress = clock.monotonic();
        await this.#decode(this.#packet, signal);
      } finally {
        this.#packet.unref();
      }
    }
    if (this.#interrupted !== undefined) throw new SecureGateError('camera_ended', 'Reading was interrupted');
    await this.#decode(null, signal);
    // A file of which nothing could be decoded must not look like a film that was watched to its end.
    if (!this.#live && !this.#isNetwork) throw new SecureGateError('camera_unsupported', 'No picture of this file could be shown');
  }

  async #decode(packet: Packet | null, signal: AbortSignal): Promise<void> {
    const decoder = this.#decoder as CodecContext;
    // A damaged packet is no reason to give the camera up: the decoder goes on at the next intact one.
    if ((await decoder.sendPacket(packet)) < 0) return;
    // With one thread a picture is decoded as its packet is sent; what is left is to hand it over, which is not worth a thread's turn.
    while (decoder.receiveFrameSync(this.#picture) >= 0) {
      this.#lastPicture = this.#options.clock.monotonic();
      try {
        if (this.#picture.decodeErrorFlags === 0) await this.#deliver(signal);
      } finally {
        this.#picture.unref();
      }
    }
  }

  async #deliver(signal: AbortSignal): Promise<void> {
    const picture = this.#picture;
    const pts = picture.bestEffortTimestamp;
    const { num, den } = picture.timeBase.num === 0 ? (this.#decoder as CodecContext).pktTimebase : picture.timeBase;
    const milliseconds = (ticks: bigint): number => (Number(ticks) * num * 1000) / den;
    const mediaMs = this.#pictureClock.timeOf(pts === AV_NOPTS_VALUE ? null : milliseconds(pts), milliseconds(picture.duration));
    if (!this.#isNetwork) await this.#pace(mediaMs, signal);
    if (!this.#live) {
      this.#live = true;
      this.#options.onLive();
    }
    if (!this.#sampler.take(mediaMs)) return;
    if (this.#isNetwork) this.#restMs = this.#rest.afterSample(this.#waitedMs);
    this.#waitedMs = 0;
    const { tenant, camera, pool, clock, reducedSize, wanted } = this.#options;
    const size = frameSize(picture);
    const smaller = reducedSize?.(size);
    const bytes = bytesOf(size);
    const pixels = pool.acquire(bytes + (smaller === undefined ? 0 : bytesOf(smaller)));
    if (pixels === undefined) {
      this.#options.onSkipped();
      return;
    }
    const arrivedMonotonic = clock.monotonic();
    const reduced = smaller && { ...smaller, data: pixels.subarray(bytes) };
    // One after the other: when the first fails, nothing may be left that reads the picture.
    if (reduced !== undefined) await this.#reducer.convert(picture, reduced, reduced.data);
    const pixelsWanted = reduced === undefined || wanted === undefined ? 'whole' : wanted(reduced, mediaMs);
    // Where the pixels are not made, those of an older picture lie in the buffer.
    const data = pixels.subarray(0, pixelsWanted === 'whole' ? bytes : 0);
    if (pixelsWanted === 'whole') await this.#converter.convert(picture, size, data);
    this.#options.onFrame({
      tenant,
      camera,
      sequence: this.#sequence++,
      mediaMs,
      arrivedAt: clock.now(),
      arrivedMonotonic,
      ...size,
      data,
      reduced: pixelsWanted === 'nothing' ? undefined : reduced,
      release: () => pool.release(pixels),
    });
  }

  /** A file is played at its own speed, as a camera would deliver it. */
  async #pace(mediaMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    this.#paceFrom ??= clock.monotonic();
    for (let wait = this.#paceFrom + mediaMs - clock.monotonic(); wait > 1; wait = this.#paceFrom + mediaMs - clock.monotonic()) {
      if (signal.aborted) throw new SecureGateError('stopped', 'The camera was stopped');
      await new Promise((resolve) => setTimeout(resolve, Math.min(wait, 100)));
      this.#lastProgress = clock.monotonic();
      this.#lastPicture = this.#lastProgress;
    }
  }

  async #close(): Promise<void> {
    this.#converter.close();
    this.#reducer.close();
    this.#picture.free();
    this.#packet.free();
    this.#decoder?.freeContext();
    await this.#input.closeInput();
  }

  #check(code: number, failure: 'camera_unreachable' | 'camera_ended' | 'camera_unsupported', doing: string): void {
    if (code >= 0) return;
    const cause = new FFmpegError(code);
    throw new SecureGateError(failure, `Could not ${doing}: ${cause.message}`, { cause, details: { ffmpeg: code } });
  }
}

function bytesOf({ width, height }: Size): number {
  return width * height * 3;
}
