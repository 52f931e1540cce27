import { describe, expect, test } from 'vitest';
import { type Affine, invertAffine } from '../../../../edge/inference/affine.ts';
import type { RgbImage } from '../../../../edge/inference/image.ts';
import { warpAffine } from '../../../../edge/inference/warp-affine.ts';

function paint(width: number, height: number, luma: (x: number, y: number) => number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.fill(luma(x, y), (y * width + x) * 3, (y * width + x + 1) * 3);
  return { width, height, data };
}

const IDENTITY: Affine = { a: 1, b: 0, c: 0, d: 1, tx: 0, ty: 0 };

/** Turn by degrees, scale, then the source point `from` lies on the target point `to`. */
function turn(degrees: number, scale: number, from: readonly [number, number], to: readonly [number, number]): Affine {
  const a = scale * Math.cos((degrees * Math.PI) / 180);
  const c = scale * Math.sin((degrees * Math.PI) / 180);
  return { a, b: -c, c, d: a, tx: to[0] - a * from[0] + c * from[1], ty: to[1] - c * from[0] - a * from[1] };
}

/** Centre of brightness. */
function centre({ width, height, data }: RgbImage): [number, number] {
  let sum = 0;
  let sumX = 0;
  let sumY = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = data[(y * width + x) * 3] as number;
      sum += value;
      sumX += value * x;
      sumY += value * y;
    }
  }
  return [sumX / sum, sumY / sum];
}

describe('invertAffine', () => {
  test('undoes a map', () => {
    const map = turn(33, 1.7, [12, 5], [-3, 40]);
    const back = invertAffine(map);
    const there = [map.a * 7 + map.b * 9 + map.tx, map.c * 7 + map.d * 9 + map.ty] as const;
    expect(back.a * there[0] + back.b * there[1] + back.tx).toBeCloseTo(7, 9);
    expect(back.c * there[0] + back.d * there[1] + back.ty).toBeCloseTo(9, 9);
  });
});

describe('warpAffine', () => {
  test('the map that changes nothing gives the same picture', () => {
    const image = paint(9, 7, (x, y) => x * 20 + y * 3);
    expect(warpAffine(image, IDENTITY, 9, 7).data).toEqual(image.data);
  });

  test.each([
    [0, 1],
    [20, 1],
    [-35, 0.5],
    [90, 0.25],
    [10, 0.13],
    [0, 0.5],
    [45, 2],
  ])('a blob lands where the map says, turned by %i at scale %f', (degrees, scale) => {
    const [x, y] = [613, 402];
    const radius = 8 / scale;
    const image = paint(1280, 720, (px, py) => (Math.hypot(px - x, py - y) < radius ? 255 : 0));
    const [cx, cy] = centre(warpAffine(image, turn(degrees, scale, [x, y], [50, 61]), 112, 112));
    expect(Math.hypot(cx - 50, cy - 61)).toBeLessThan(0.1);
  });

  test.each([0.5, 0.3, 0.11])('fine stripes become grey instead of coarse ones at scale %f', (scale) => {
    const image = paint(1280, 720, (x) => (x % 2 === 0 ? 255 : 0));
    const { data } = warpAffine(image, turn(7, scale, [640, 360], [40, 40]), 80, 80);
    expect(Math.min(...data)).toBeGreaterThan(90);
    expect(Math.max(...data)).toBeLessThan(165);
  });

  test.each([0.2, 3])('beyond the edge the outermost pixels go on, at scale %f', (scale) => {
    const image = paint(50, 50, (x) => (x < 25 ? 10 : 200));
    const { data } = warpAffine(image, turn(0, scale, [0, 0], [80, 80]), 100, 100);
    expect(data[0]).toBe(10);
    const outside = warpAffine(image, turn(0, scale, [0, 0], [-500, -500]), 20, 20);
    expect([...new Set(outside.data)]).toEqual([200]);
  });
});
