import type { RgbImage } from '../../inference/image.ts';
import { encodeJpeg } from '../encode-jpeg.ts';

/**
 * Widest pictures, pixels. A large one is wide enough to know a face on a tile of the console: a larger one would cost each
 * watcher's network more than it shows. A small one is for many tiles beside each other.
 */
const MAX_WIDTH = { small: 480, large: 960 } as const;
type Size = keyof typeof MAX_WIDTH;

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

type Listener<Track> = (frame: ShownFrame<Track>) => void;
type Source = RgbImage & { readonly mediaMs: number };

/**
 * The live view of one camera. A picture is only encoded while somebody watches, once in each size that is watched, and only
 * one at a time: who analyses the frames never waits for who watches them. Nothing is kept.
 */
export class LiveView<Track extends { readonly box: Rectangle }> {
  readonly #listeners: Readonly<Record<Size, Set<Listener<Track>>>> = { small: new Set(), large: new Set() };
  #busy = false;

  /** Somebody watches. */
  get watched(): boolean {
    return Object.values(this.#listeners).some(({ size }) => size > 0);
  }

  /** @returns a function that ends the watching */
  watch(size: Size, listener: Listener<Track>): () => void {
    this.#listeners[size].add(listener);
    return () => void this.#listeners[size].delete(listener);
  }

  /**
   * Shows a frame to those who watch.
   * @param tracks asked for only when the frame is shown
   * @returns resolves when the pixels are no longer needed; undefined when they are not needed at all
   */
  show(frame: Source, tracks: () => Track[]): Promise<void> | undefined {
    const sizes = (['small', 'large'] as const).filter((size) => this.#listeners[size].size > 0);
    if (sizes.length === 0 || this.#busy) return undefined;
    this.#busy = true;
    return this.#encode(frame, tracks(), sizes).finally(() => {
      this.#busy = false;
    });
  }

  /** One size after the other, so that no reader of the pixels is left when one of them fails. */
  async #encode(frame: Source, tracks: readonly Track[], sizes: readonly Size[]): Promise<void> {
    for (const size of sizes) {
      const { width, height, jpeg } = await encodeJpeg(frame, MAX_WIDTH[size]);
      const scale = width / frame.width;
      const scaled = tracks.map((track) => ({ ...track, box: scaleBox(track.box, scale) }));
      for (const listener of this.#listeners[size]) listener({ mediaMs: frame.mediaMs, width, height, jpeg, tracks: scaled });
    }
  }
}

function scaleBox({ x, y, width, height }: Rectangle, scale: number): Rectangle {
  return { x: x * scale, y: y * scale, width: width * scale, height: height * scale };
}
