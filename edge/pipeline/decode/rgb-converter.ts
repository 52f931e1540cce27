import { AV_PIX_FMT_RGB24, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P, type AVPixelFormat, SWS_AREA } from 'node-av/constants';
import { Frame as Picture, SoftwareScaleContext } from 'node-av/lib';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Size } from '../../inference/fit-image.ts';

/** What cameras send. FFmpeg shrinks it plane by plane and then makes RGB of it in a third of the time of doing both at once. */
const PLANAR: readonly AVPixelFormat[] = [AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P];
/** So few pixels are RGB before another thread would have begun with them. */
const FEW_PIXELS = 640 * 640;

interface Step {
  readonly context: SoftwareScaleContext;
  readonly converted: Picture;
}

interface Conversion extends Step {
  /** Size and format of the pictures that it is for, and the size that is wanted: a camera may change them in mid-stream. */
  readonly ends: string;
  /** The same format at the size that is wanted, on the way to RGB. */
  readonly shrunk: Step | undefined;
  /** The pixels of `converted`. Asked for once: each view of a picture counts as memory of its own and brings the next collection nearer. */
  readonly pixels: Buffer;
  /** Bytes of a row of `pixels`, with its padding. */
  readonly stride: number;
}

/** Turns decoded pictures (any pixel format) into packed 8-bit RGB of a size of its own, on libuv's threads. */
export class RgbConverter {
  #conversion: Conversion | undefined;

  /**
   * @param size in pixels of the converted picture; a smaller one is averaged as `resize` does it
   * @param into `width * height * 3` bytes of the converted picture
   * @throws {SecureGateError} `camera_unsupported`
   */
  async convert(picture: Picture, size: Size, into: Buffer): Promise<void> {
    const { shrunk, context, converted, pixels, stride } = this.#conversionOf(picture, size);
    const first = shrunk ?? { context, converted };
    if ((await first.context.scaleFrame(first.converted, picture)) < 0) throw unsupported();
    if (shrunk !== undefined && context.scaleFrameSync(converted, shrunk.converted) < 0) throw unsupported();
    const { width, height } = converted;
    const row = width * 3;
    if (stride === row) pixels.copy(into, 0, 0, height * row);
    else for (let y = 0; y < height; y++) pixels.copy(into, y * row, y * stride, y * stride + row);
  }

  close(): void {
    for (const step of [this.#conversion?.shrunk, this.#conversion]) {
      step?.context.freeContext();
      step?.converted.free();
    }
    this.#conversion = undefined;
  }

  #conversionOf(picture: Picture, { width, height }: Size): Conversion {
    const ends = `${picture.width}x${picture.height}/${picture.format} to ${width}x${height}`;
    if (this.#conversion?.ends === ends) return this.#conversion;
    this.close();
    const size = { width, height };
    const format = picture.format as AVPixelFormat;
    const shrinks = width < picture.width && height < picture.height && width * height <= FEW_PIXELS && PLANAR.includes(format);
    const shrunk = shrinks ? stepOf(picture, format, size, format) : undefined;
    const { context, converted } = stepOf(shrunk?.converted ?? picture, format, size, AV_PIX_FMT_RGB24);
    const [pixels] = converted.data ?? [];
    const [stride] = converted.linesize;
    if (pixels === undefined || stride === undefined) throw unsupported();
    this.#conversion = { ends, shrunk, context, converted, pixels, stride };
    return this.#conversion;
  }
}

function stepOf(from: Size, fromFormat: AVPixelFormat, { width, height }: Size, format: AVPixelFormat): Step {
  const context = new SoftwareScaleContext();
  context.getContext(from.width, from.height, fromFormat, width, height, format, SWS_AREA);
  const converted = new Picture();
  converted.alloc();
  converted.width = width;
  converted.height = height;
  converted.format = format;
  if (converted.getBuffer() < 0) throw unsupported();
  return { context, converted };
}

function unsupported(): SecureGateError {
  return new SecureGateError('camera_unsupported', 'The picture could not be converted to RGB');
}
