import { describe, expect, test } from 'vitest';
import type { RgbImage } from '../../../../edge/inference/image.ts';
import { resize } from '../../../../edge/inference/resize.ts';

function paint(width: number, height: number, colour: (x: number, y: number) => readonly [number, number, number]): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set(colour(x, y), (y * width + x) * 3);
  return { width, height, data };
}

const pixel = ({ width, data }: RgbImage, x: number, y: number): number[] => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

describe('resize', () => {
  test('averages exactly the pixels that a target pixel covers', () => {
    const image = paint(6, 4, (x, y) => [x * 10, y * 10, x === 0 && y === 0 ? 240 : 0]);
    const small = resize(image, 2, 2);
    expect(pixel(small, 0, 0)).toEqual([10, 5, 40]);
    expect(pixel(small, 1, 1)).toEqual([40, 25, 0]);
  });

  test('shares a pixel between the two that cover a part of it', () => {
    const image = paint(3, 1, (x) => [[0, 90, 240][x] as number, 0, 0]);
    const small = resize(image, 2, 1);
    expect(pixel(small, 0, 0)[0]).toBe(30);
    expect(pixel(small, 1, 0)[0]).toBe(190);
  });

  test('a fine checkerboard becomes grey instead of stripes', () => {
    const small = resize(
      paint(300, 300, (x, y) => ((x + y) % 2 === 0 ? [255, 255, 255] : [0, 0, 0])),
      100,
      100,
    );
    expect(Math.min(...small.data)).toBeGreaterThan(100);
    expect(Math.max(...small.data)).toBeLessThan(155);
  });

  test('grows bilinearly, with the edges in place', () => {
    const wide = resize(
      paint(2, 1, (x) => [x * 200, 0, 0]),
      4,
      1,
    );
    expect([0, 1, 2, 3].map((x) => pixel(wide, x, 0)[0])).toEqual([0, 50, 150, 200]);
  });

  test('the same size is the same picture', () => {
    const image = paint(7, 5, (x, y) => [x * 30, y * 40, x * y]);
    expect(resize(image, 7, 5).data).toEqual(image.data);
  });

  test.each([0.4, 1, 2.5])('a ramp stays where it is at scale %f', (scale) => {
    const image = paint(100, 10, (x) => [x * 2, 0, 0]);
    const target = resize(image, 100 * scale, 10);
    for (let x = 5; x < 95; x += 10) {
      const at = Math.round((x + 0.5) * scale - 0.5);
      const source = (at + 0.5) / scale - 0.5;
      expect(Math.abs((pixel(target, at, 5)[0] as number) - source * 2)).toBeLessThanOrEqual(1);
    }
  });

  test('a region of fractions of pixels is cut where it says', () => {
    const image = paint(100, 100, (x, y) => [x, y, 0]);
    const cut = resize(image, 20, 10, { x: 30.5, y: 40.25, width: 20, height: 10 });
    expect(pixel(cut, 0, 0).slice(0, 2)).toEqual([31, 40]);
    expect(pixel(cut, 19, 9).slice(0, 2)).toEqual([50, 49]);
  });

  test.each([
    [-10, -10, 20, 20],
    [95, 95, 20, 20],
    [-500, 20, 10, 10],
    [300, 300, 400, 400],
  ])('a region over the edge goes on with the outermost pixels: %i %i %i %i', (x, y, width, height) => {
    const image = paint(100, 100, (column, row) => [column, row, 7]);
    for (const size of [5, 60]) {
      const cut = resize(image, size, size, { x, y, width, height });
      const corner = pixel(cut, 0, 0);
      const clamp = (value: number): number => Math.min(99, Math.max(0, value));
      expect(Math.abs((corner[0] as number) - clamp(x + width / size / 2))).toBeLessThanOrEqual(1 + width / size / 2);
      expect(Math.abs((corner[1] as number) - clamp(y + height / size / 2))).toBeLessThanOrEqual(1 + height / size / 2);
      expect(corner[2]).toBe(7);
    }
  });

  test('does not change its source, and reads shared memory', () => {
    const image = paint(8, 8, (x, y) => [x, y, 9]);
    const shared = { ...image, data: new Uint8Array(new SharedArrayBuffer(image.data.length)) };
    shared.data.set(image.data);
    expect(resize(shared, 3, 5).data).toEqual(resize(image, 3, 5).data);
    expect(shared.data).toEqual(image.data);
  });
});
