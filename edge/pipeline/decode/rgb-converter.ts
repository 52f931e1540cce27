import { AV_PIX_FMT_RGB24, type AVPixelFormat, SWS_AREA } from 'node-av/constants';
import { Frame as Picture, SoftwareScaleContext } from 'node-av/lib';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Size } from '../../inference/fit-image.ts';

interface Conversion {
  /** Size and format of the pictures that it is for: a camera may change them in mid-stream. */
  readonly source: string;
  readonly context: SoftwareScaleContext;
  readonly converted: Picture;
  /** The pixels of `converted`. Asked for once: each view of a picture counts as memory of its own and brings the next collection nearer. */
  readonly pixels: Buffer;
  /** Bytes of a row of `pixels`, with its padding. */
  readonly stride: number;
}

/** Turns decoded pictures (any pixel format) into packed 8-bit RGB of a size of its own, on libuv's threads. */
export class RgbConverter {
  readonly #sizeOf: (picture: Size) => Size;
  #conversion: Conversion | undefined;

  /** @param sizeOf size in pixels of the converted picture; a smaller one is averaged as `resize` does it */
  constructor(sizeOf: (picture: Size) => Size) {
    this.#sizeOf = sizeOf;
  }

  /**
   * @param into `width * height * 3` bytes of the converted picture
   * @throws {SecureGateError} `camera_unsupported`
   */
  async convert(picture: Picture, into: Buffer): Promise<void> {
    const { context, converted, pixels, stride } = this.#conversionOf(picture);
    if ((await context.scaleFrame(converted, picture)) < 0) throw unsupported();
    const { width, height } = converted;
    const row = width * 3;
    if (stride === row) pixels.copy(into, 0, 0, height * row);
    else for (let y = 0; y < height; y++) pixels.copy(into, y * row, y * stride, y * stride + row);
  }

  close(): void {
    this.#conversion?.context.freeContext();
    this.#conversion?.converted.free();
    this.#conversion = undefined;
  }

  #conversionOf(picture: Picture): Conversion {
    const source = `${picture.width}x${picture.height}/${picture.format}`;
    if (this.#conversion?.source === source) return this.#conversion;
    this.close();
    const { width, height } = this.#sizeOf(picture);
    const context = new SoftwareScaleContext();
    const format = picture.format as AVPixelFormat;
    context.getContext(picture.width, picture.height, format, width, height, AV_PIX_FMT_RGB24, SWS_AREA);
    const converted = new Picture();
    converted.alloc();
    converted.width = width;
    converted.height = height;
    converted.format = AV_PIX_FMT_RGB24;
    const allocated = converted.getBuffer();
    const [pixels] = converted.data ?? [];
    const [stride] = converted.linesize;
    if (allocated < 0 || pixels === undefined || stride === undefined) throw unsupported();
    this.#conversion = { source, context, converted, pixels, stride };
    return this.#conversion;
  }
}

function unsupported(): SecureGateError {
  return new SecureGateError('camera_unsupported', 'The picture could not be converted to RGB');
}
