import { AV_PIX_FMT_RGB24, type AVPixelFormat, SWS_BILINEAR } from 'node-av/constants';
import { type Frame as Picture, SoftwareScaleContext } from 'node-av/lib';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** Longer side of the picture that is analysed; larger ones are scaled down, since a face that only shows there is below every model's input. */
const MAX_SIDE = 1920;

/** Turns decoded pictures (any pixel format) into packed 8-bit RGB, on libuv's threads. */
export class RgbConverter {
  #context: SoftwareScaleContext | undefined;
  #source = '';

  /** Size in pixels of the converted picture. */
  sizeOf(picture: Picture): { width: number; height: number } {
    const scale = Math.min(1, MAX_SIDE / Math.max(picture.width, picture.height));
    return { width: Math.max(1, Math.round(picture.width * scale)), height: Math.max(1, Math.round(picture.height * scale)) };
  }

  /**
   * @param into `width * height * 3` bytes of {@link sizeOf}
   * @throws {SecureGateError} `camera_unsupported`
   */
  async convert(picture: Picture, into: Buffer): Promise<void> {
    const { width, height } = this.sizeOf(picture);
    const { data, linesize } = picture;
    if (data === null) throw new SecureGateError('camera_unsupported', 'The decoded picture has no pixels in memory');
    const source = `${picture.width}x${picture.height}/${picture.format}`;
    // A camera may change size or format in mid-stream.
    if (this.#context === undefined || source !== this.#source) {
      this.close();
      this.#context = new SoftwareScaleContext();
      this.#context.getContext(
        picture.width,
        picture.height,
        picture.format as AVPixelFormat,
        width,
        height,
        AV_PIX_FMT_RGB24,
        SWS_BILINEAR,
      );
      this.#source = source;
    }
    const rows = await this.#context.scale(data, linesize, 0, picture.height, [into], [width * 3]);
    if (rows !== height) throw new SecureGateError('camera_unsupported', 'The picture could not be converted to RGB');
  }

  close(): void {
    this.#context?.freeContext();
    this.#context = undefined;
  }
}
