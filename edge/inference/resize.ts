import type { RgbImage } from './image.ts';

/** Rectangle of a picture in pixels, fractions allowed: pixel column `i` covers [i, i + 1). */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Share of a pixel that is no more than rounding. */
const NOTHING = 1e-9;

/** Which source lines make one target line, and how much of each. Every target line has `taps` entries. */
interface Axis {
  readonly taps: number;
  readonly index: Int32Array;
  readonly weight: Float64Array;
  readonly first: number;
  readonly last: number;
}

/**
 * A picture, or a region of it, at another size. Shrinking averages the area that a target pixel covers, growing is
 * bilinear, each axis by itself; so nothing aliases and nothing shifts (the edges of source and target coincide).
 * Where the region reaches over the picture's edge the outermost pixels go on.
 *
 * @param width width of the result in pixels, at least 1
 * @param height height of the result in pixels, at least 1
 */
export function resize(image: RgbImage, width: number, height: number, region?: Region): RgbImage {
  const columns = axis(region?.x ?? 0, region?.width ?? image.width, width, image.width);
  const rows = axis(region?.y ?? 0, region?.height ?? image.height, height, image.height);
  const target = new Uint8Array(width * height * 3);
  // One source line at a time: weighted over the rows first, then over the columns. The line stays in the cache.
  const line = new Float64Array((columns.last - columns.first + 1) * 3);
  for (let y = 0; y < height; y++) {
    sumRows(image, columns.first, rows, y, line);
    sumColumns(line, columns, target, y * width * 3);
  }
  return { width, height, data: target };
}

function axis(start: number, length: number, count: number, limit: number): Axis {
  const scale = length / count;
  // Bilinear weights are areas too: those of a window one pixel wide around the sampled place.
  const window = Math.max(1, scale);
  const lowOf = (i: number): number => start + (i + 0.5) * scale - window / 2;
  let taps = 1;
  for (let i = 0; i < count; i++) taps = Math.max(taps, Math.ceil(lowOf(i) + window - NOTHING) - Math.floor(lowOf(i) + NOTHING));
  const index = new Int32Array(count * taps);
  const weight = new Float64Array(count * taps);
  let first = limit - 1;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const low = lowOf(i);
    const base = Math.floor(low + NOTHING);
    for (let tap = 0; tap < taps; tap++) {
      const at = Math.min(limit - 1, Math.max(0, base + tap));
      index[i * taps + tap] = at;
      weight[i * taps + tap] = Math.max(0, Math.min(low + window, base + tap + 1) - Math.max(low, base + tap)) / window;
      first = Math.min(first, at);
      last = Math.max(last, at);
    }
  }
  return { taps, index, weight, first, last };
}

/** `line` = weighted sum of the source rows that make target row `y`; three at a time, since writing the line is what takes long. */
function sumRows({ width, data }: RgbImage, firstColumn: number, { taps, index, weight }: Axis, y: number, line: Float64Array): void {
  const length = line.length;
  const end = (y + 1) * taps;
  const weightOf = (tap: number): number => (tap < end ? (weight[tap] as number) : 0);
  const offsetOf = (tap: number): number => ((index[Math.min(tap, end - 1)] as number) * width + firstColumn) * 3;
  for (let tap = y * taps; tap < end; tap += 3) {
    const [w0, w1, w2] = [weightOf(tap), weightOf(tap + 1), weightOf(tap + 2)];
    const [o0, o1, o2] = [offsetOf(tap), offsetOf(tap + 1), offsetOf(tap + 2)];
    if (tap > y * taps) {
      for (let i = 0; i < length; i++) {
        line[i] = (line[i] as number) + w0 * (data[o0 + i] as number) + w1 * (data[o1 + i] as number) + w2 * (data[o2 + i] as number);
      }
    } else {
      for (let i = 0; i < length; i++) {
        line[i] = w0 * (data[o0 + i] as number) + w1 * (data[o1 + i] as number) + w2 * (data[o2 + i] as number);
      }
    }
  }
}

function sumColumns(line: Float64Array, columns: Axis, target: Uint8Array, offset: number): void {
  const { taps, index, weight, first } = columns;
  const count = index.length / taps;
  for (let x = 0, entry = 0, at = offset; x < count; x++, at += 3) {
    let red = 0.5;
    let green = 0.5;
    let blue = 0.5;
    for (let tap = 0; tap < taps; tap++, entry++) {
      const share = weight[entry] as number;
      const from = ((index[entry] as number) - first) * 3;
      red += share * (line[from] as number);
      green += share * (line[from + 1] as number);
      blue += share * (line[from + 2] as number);
    }
    target[at] = red;
    target[at + 1] = green;
    target[at + 2] = blue;
  }
}
