import type { Size } from '../../inference/fit-image.ts';
import type { RgbImage } from '../../inference/image.ts';
import type { Region } from '../../inference/resize.ts';
import type { Box } from '../frame.ts';

/** Cells across and down a picture: a face that is large enough to be recognised covers one of them or most of four. */
const COLUMNS = 80;
const ROWS = 45;
/** Pixels of a cell that are looked at, across and down; their sum evens out the noise of the sensor. */
const POINTS = 4;
/** Levels of 255 by which the mean of a cell differs where something came or went: five times the noise of a camera indoors. */
const CHANGED = 6;
/** However still it is, somebody is looked for in the whole this often, milliseconds: who comes unnoticed is found by then. */
const LOOK_AGAIN_MS = 1000;

type Picture = RgbImage & { readonly mediaMs: number };

/**
 * Saves looking for faces where there is nothing new to be seen: it knows what each cell of the picture showed when somebody was
 * looked for in it last, so that also what comes too slowly to be noticed from one picture to the next adds up.
 */
export class MotionGate {
  #seen: Uint16Array | undefined;
  #wholeMs = 0;
  /** Of the picture that was asked about last: it is asked about again once somebody was looked for in it. */
  #last: { readonly picture: Pick<Picture, 'data' | 'mediaMs'>; readonly cells: Uint16Array } | undefined;

  /** Whether somebody may have come into view since. */
  passes(picture: Picture): boolean {
    return this.wholeDue(picture) || this.changes(picture, picture).length > 0;
  }

  /** Whether somebody is to be looked for in the whole picture, whatever changed. */
  wholeDue({ mediaMs }: Pick<Picture, 'mediaMs'>): boolean {
    return this.#seen === undefined || Math.abs(mediaMs - this.#wholeMs) >= LOOK_AGAIN_MS;
  }

  /** Where the picture is not what it was, row by row, in pixels of a frame of this size. */
  changes(picture: Picture, frame: Size): Box[] {
    const seen = this.#seen;
    if (seen === undefined) return [{ x: 0, y: 0, width: frame.width, height: frame.height }];
    const cells = this.#cellsOf(picture);
    const height = frame.height / ROWS;
    const changes: Box[] = [];
    for (let row = 0; row < ROWS; row++) {
      const first = row * COLUMNS;
      for (let column = 0; column < COLUMNS; column++) {
        const from = column;
        while (column < COLUMNS && differs(cells[first + column] as number, seen[first + column] as number)) column++;
        if (column > from) {
          changes.push({ x: (from * frame.width) / COLUMNS, y: row * height, width: ((column - from) * frame.width) / COLUMNS, height });
        }
      }
    }
    return changes;
  }

  /** Somebody was looked for in the whole of this picture, or in parts of a frame of this size. */
  looked(picture: Picture, where: 'whole' | readonly Region[] = 'whole', frame: Size = picture): void {
    const cells = this.#cellsOf(picture);
    if (where === 'whole' || this.#seen === undefined) {
      this.#seen = cells.slice();
      this.#wholeMs = picture.mediaMs;
      return;
    }
    for (const { x, y, width, height } of where) {
      const column = (at: number): number => Math.round((at * COLUMNS) / frame.width);
      const row = (at: number): number => Math.round((at * ROWS) / frame.height);
      for (let cell = row(y) * COLUMNS; cell < row(y + height) * COLUMNS; cell += COLUMNS) {
        this.#seen.set(cells.subarray(cell + column(x), cell + column(x + width)), cell + column(x));
      }
    }
  }

  /** Nothing is known of the next picture: somebody is to be looked for in the whole of it. */
  reset(): void {
    this.#seen = undefined;
  }

  #cellsOf(picture: Picture): Uint16Array {
    const { data, mediaMs } = this.#last?.picture ?? {};
    if (this.#last === undefined || data !== picture.data || mediaMs !== picture.mediaMs) {
      this.#last = { picture: { data: picture.data, mediaMs: picture.mediaMs }, cells: cellsOf(picture) };
    }
    return this.#last.cells;
  }
}

function differs(a: number, b: number): boolean {
  return Math.abs(a - b) > CHANGED * POINTS ** 2;
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
