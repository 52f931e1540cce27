import type { RgbImage } from '../../inference/image.ts';

/** Cells across and down a picture: a face that is large enough to be recognised covers one of them or most of four. */
const COLUMNS = 80;
const ROWS = 45;
/** Pixels of a cell that are looked at, across and down; their sum evens out the noise of the sensor. */
const POINTS = 4;
/** Levels of 255 by which the mean of a cell differs where something came or went: five times the noise of a camera indoors. */
const CHANGED = 6;
/** However still it is, somebody is looked for this often, milliseconds: who comes unnoticed is found by then. */
const LOOK_AGAIN_MS = 1000;

type Picture = RgbImage & { readonly mediaMs: number };

/**
 * Saves looking for faces where there is nothing to be seen: in pictures that are the same as the last one in which nobody
 * was found. While somebody is in view every picture is looked at, however still they stand.
 */
export class MotionGate {
  #empty: Uint16Array | undefined;
  #emptyMs = 0;

  /** Whether somebody may have come into view since. */
  passes(picture: Picture): boolean {
    const empty = this.#empty;
    if (empty === undefined || Math.abs(picture.mediaMs - this.#emptyMs) >= LOOK_AGAIN_MS) return true;
    const cells = cellsOf(picture);
    for (let cell = 0; cell < cells.length; cell++) {
      if (Math.abs((cells[cell] as number) - (empty[cell] as number)) > CHANGED * POINTS ** 2) return true;
    }
    return false;
  }

  /** Nobody was found in this picture. */
  nobodyIn(picture: Picture): void {
    this.#empty = cellsOf(picture);
    this.#emptyMs = picture.mediaMs;
  }

  /** Somebody is in view, or the next picture is of another scene. */
  reset(): void {
    this.#empty = undefined;
  }
}

/** Sums of green, which is most of the brightness. */
function cellsOf({ width, height, data }: RgbImage): Uint16Array {
  const cells = new Uint16Array(COLUMNS * ROWS);
  const across = spread(COLUMNS * POINTS, width).map((x) => x * 3 + 1);
  const down = spread(ROWS * POINTS, height).map((y) => y * width * 3);
  for (let y = 0; y < down.length; y++) {
    const row = down[y] as number;
    const first = Math.floor(y / POINTS) * COLUMNS;
    for (let column = 0, x = 0; column < COLUMNS; column++) {
      let sum = cells[first + column] as number;
      for (const end = x + POINTS; x < end; x++) sum += data[row + (across[x] as number)] as number;
      cells[first + column] = sum;
    }
  }
  return cells;
}

/** Pixels in the middle of each of `count` equal parts of a side. */
function spread(count: number, side: number): Int32Array {
  return Int32Array.from({ length: count }, (_, index) => ((index + 0.5) * side) / count);
}
