import type { RgbImage } from '../../inference/image.ts';
import { encodeJpeg } from '../encode-jpeg.ts';

/** Wide enough to know a face on a tile of the console; a larger picture costs each watcher's network more than it shows. */
const MAX_WIDTH = 960;

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A picture as it is shown: sizes and boxes in pixels of the JPEG. */
export interface ShownFrame<Track> {
  readonly mediaMs: number;
  readonly width: number;
  readonly height: number;
  readonly jpeg: Buffer;
  readonly tracks: readonly Track[];
}

/**
 * The live view of one camera. A picture is only encoded while somebody watches, and only one at a time: who analyses the
 * frames never waits for who watches them. Nothing is kept.
 */
export class LiveView<Track extends { readonly box: Rectangle }> {
  readonly #listeners = new Set<(frame: ShownFrame<Track>) => void>();
  #busy = false;

  /** @returns a function that ends the watching */
  watch(listener: (frame: ShownFrame<Track>) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Shows a frame to those who watch.
   * @param tracks asked for only when the frame is shown
   * @returns resolves when the pixels are no longer needed; undefined when they are not needed at all
   */
  show(frame: RgbImage & { readonly mediaMs: number }, tracks: () => Track[]): Promise<void> | undefined {
    if (this.#listeners.size === 0 || this.#busy) return undefined;
    this.#busy = true;
    return this.#encode(frame, tracks()).finally(() => {
      this.#busy = false;
    });
  }

  async #encode(frame: RgbImage & { readonly mediaMs: number }, tracks: readonly Track[]): Promise<void> {
    const { width, height, jpeg } = await encodeJpeg(frame, MAX_WIDTH);
    const scale = width / frame.width;
    const scaled = tracks.map((track) => ({ ...track, box: scaleBox(track.box, scale) }));
    for (const listener of this.#listeners) listener({ mediaMs: frame.mediaMs, width, height, jpeg, tracks: scaled });
  }
}

function scaleBox({ x, y, width, height }: Rectangle, scale: number): Rectangle {
  return { x: x * scale, y: y * scale, width: width * scale, height: height * scale };
}
