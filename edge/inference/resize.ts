import type { RgbImage } from './image.ts';

/** Rectangle of a picture in pixels, fractions allowed: pixel column `i` covers [i, i + 1). */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

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
  const shrinks = scale > 1;
  const taps = shrinks ? Math.ceil(scale) + 1 : 2;
  const index = new Int32Array(count * taps);
  const weight = new Float64Array(count * taps);
  let first = limit - 1;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const low = shrinks ? start + i * scale : start + (i + 0.5) * scale - 0.5;
    const high = shrinks ? low + scale : low + 1;
    const base = Math.floor(low);
    for (let tap = 0; tap < taps; tap++) {
      const covered = Math.min(high, base + tap + 1) - Math.max(low, base + tap);
      const at = Math.min(limit - 1, Math.max(0, base + tap));
      // Bilinear weights are areas too: those of a window one pixel wide around the sampled place.
      const share = shrinks ? covered / scale : covered;
      index[i * taps + tap] = at;
      if (share <= 1e-9) continue;
      weight[i * taps + tap] = share;
      first = Math.min(first, at);
      last = Math.max(last, at);
    }
  }
  return { taps, index, weight, first, last };
}

/** `line` = weighted sum of the source rows that make target row `y`. */
function sumRows(image: RgbImage, firstColumn: number, rows: Axis, y: number, line: Float64Array): void {
  const { data } = image;
  const length = line.length;
  line.fill(0);
  for (let tap = y * rows.taps; tap < (y + 1) * rows.taps; tap++) {
    const weight = rows.weight[tap] as number;
    if (weight === 0) continue;
    const offset = ((rows.index[tap] as number) * image.width + firstColumn) * 3;
    for (let i = 0; i < length; i++) line[i] = (line[i] as number) + weight * (data[offset + i] as number);
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
      if (share === 0) continue;
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
