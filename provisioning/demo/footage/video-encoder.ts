import { Codec, CodecContext, FFmpegError, Frame, Log, Packet, Rational } from 'node-av';
import { AV_LOG_ERROR, AV_PIX_FMT_YUV420P, AVERROR_EAGAIN, AVERROR_EOF, FF_ENCODER_LIBX264, FF_ENCODER_LIBX265 } from 'node-av/constants';

export interface VideoFormat {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** H.264 unless given. */
  readonly codec?: keyof typeof ENCODERS;
}

const ENCODERS = {
  h264: { name: FF_ENCODER_LIBX264, options: {} },
  h265: { name: FF_ENCODER_LIBX265, options: { 'x265-params': 'log-level=error:open-gop=0:pools=none:frame-threads=1' } },
} as const;

/** Encodes pictures to an H.264 or H.265 byte stream (Annex B) as a camera would: an IDR picture each second, no B-frames. */
export class VideoEncoder {
  readonly #format: VideoFormat;
  readonly #chunks: Buffer[] = [];
  readonly #packet = new Packet();
  readonly #frame = new Frame();
  readonly #context = new CodecContext();
  #pictures = 0;

  constructor(format: VideoFormat) {
    this.#format = format;
  }

  /** @throws {FFmpegError} where the encoder does not open */
  async start(): Promise<void> {
    const { width, height, fps } = this.#format;
    const encoder = ENCODERS[this.#format.codec ?? 'h264'];
    const codec = Codec.findEncoderByName(encoder.name);
    if (codec === null) throw new Error(`FFmpeg has no ${encoder.name}`);
    Log.setLevel(AV_LOG_ERROR);
    const context = this.#context;
    context.allocContext3(codec);
    context.width = width;
    context.height = height;
    context.pixelFormat = AV_PIX_FMT_YUV420P;
    context.timeBase = new Rational(1, fps);
    context.framerate = new Rational(fps, 1);
    context.gopSize = fps;
    context.maxBFrames = 0;
    context.threadCount = 1;
    for (const [name, value] of Object.entries({ preset: 'ultrafast', tune: 'zerolatency', crf: '21', ...encoder.options })) {
      FFmpegError.throwIfError(context.setOption(name, value), `setOption ${name}`);
    }
    FFmpegError.throwIfError(await context.open2(codec), 'open encoder');
    this.#frame.alloc();
    this.#frame.width = width;
    this.#frame.height = height;
    this.#frame.format = AV_PIX_FMT_YUV420P;
    FFmpegError.throwIfError(this.#frame.getBuffer(0), 'getBuffer');
    this.#packet.alloc();
  }

  /**
   * @param yuv one picture as planar YUV 4:2:0 without padding, `width * height * 3 / 2` bytes
   * @throws {FFmpegError}
   */
  async encode(yuv: Buffer): Promise<void> {
    FFmpegError.throwIfError(this.#frame.makeWritable(), 'makeWritable');
    FFmpegError.throwIfError(this.#frame.fromBuffer(yuv), 'fromBuffer');
    this.#frame.pts = BigInt(this.#pictures);
    this.#pictures += 1;
    FFmpegError.throwIfError(await this.#context.sendFrame(this.#frame), 'sendFrame');
    await this.#collect();
  }

  /** Ends the stream, frees the encoder and returns the whole stream. */
  async finish(): Promise<Buffer> {
    FFmpegError.throwIfError(await this.#context.sendFrame(null), 'flush');
    await this.#collect();
    this.#frame.free();
    this.#packet.free();
    this.#context.freeContext();
    return Buffer.concat(this.#chunks);
  }

  async #collect(): Promise<void> {
    for (;;) {
      const code = await this.#context.receivePacket(this.#packet);
      if (code === AVERROR_EAGAIN || code === AVERROR_EOF) return;
      FFmpegError.throwIfError(code, 'receivePacket');
      if (this.#packet.data !== null) this.#chunks.push(Buffer.from(this.#packet.data));
      this.#packet.unref();
    }
  }
}
