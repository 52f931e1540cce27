import { describe, expect, test } from 'vitest';
import type { RgbImage } from '../../../../../edge/inference/image.ts';
import { ALIGNED_SIZE, ARCFACE_TEMPLATE, alignFace } from '../../../../../edge/pipeline/face/align-face.ts';
import type { FivePoints, Point } from '../../../../../edge/pipeline/frame.ts';

/** The square that the four outer points of the template span roughly; its corners are easy to find again in a picture. */
const SQUARE: readonly Point[] = [
  { x: 36, y: 36 },
  { x: 76, y: 36 },
  { x: 76, y: 76 },
  { x: 36, y: 76 },
];

/** A white square on black whose place, turn and size in the picture belong to the five points given with it. */
function rotatedSquare(degrees: number, scale: number, centre: Point): { image: RgbImage; points: FivePoints } {
  const cosine = Math.cos((degrees * Math.PI) / 180);
  const sine = Math.sin((degrees * Math.PI) / 180);
  const place = ({ x, y }: Point): Point => ({
    x: centre.x + scale * (cosine * (x - 56) - sine * (y - 56)),
    y: centre.y + scale * (sine * (x - 56) + cosine * (y - 56)),
  });
  const [width, height] = [1280, 720];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Back into the template's plane; four samples a pixel and axis give the edge its grey.
      let inside = 0;
      for (let sample = 0; sample < 16; sample++) {
        const dx = x + ((sample % 4) + 0.5) / 4 - 0.5 - centre.x;
        const dy = y + (Math.floor(sample / 4) + 0.5) / 4 - 0.5 - centre.y;
        const u = 56 + (cosine * dx + sine * dy) / scale;
        const v = 56 + (-sine * dx + cosine * dy) / scale;
        if (u >= 36 && u <= 76 && v >= 36 && v <= 76) inside++;
      }
      if (inside > 0) data.fill((inside * 255) / 16, (y * width + x) * 3, (y * width + x + 1) * 3);
    }
  }
  const [a, b, c, d, e] = ARCFACE_TEMPLATE;
  return { image: { width, height, data }, points: [place(a), place(b), place(c), place(d), place(e)] };
}

/** Where brightness crosses one half along a line of pixels, both ways. */
function crossings(luma: (at: number) => number): [number, number] {
  const found: number[] = [];
  for (let at = 0; at + 1 < ALIGNED_SIZE; at++) {
    const [here, next] = [luma(at), luma(at + 1)];
    if (here < 127.5 !== next < 127.5) found.push(at + (127.5 - here) / (next - here));
  }
  return [found[0] ?? Number.NaN, found[1] ?? Number.NaN];
}

describe('alignFace', () => {
  test.each([
    [0, 1],
    [17, 1],
    [-40, 2.7],
    [90, 0.6],
    [25, 4.3],
    [179, 1.5],
  ])('a square turned by %i degrees at %f times the size is upright within half a pixel', (degrees, scale) => {
    const { image, points } = rotatedSquare(degrees, scale, { x: 603.3, y: 355.8 });
    const aligned = alignFace(image, points);
    expect([aligned.width, aligned.height]).toEqual([112, 112]);
    const luma = (x: number, y: number): number => aligned.data[(y * ALIGNED_SIZE + x) * 3] as number;
    // All four edges, each in three places: a remaining turn would show at the ends.
    for (const at of [40, 56, 72]) {
      for (const [low, high] of [crossings((x) => luma(x, at)), crossings((y) => luma(at, y))]) {
        expect(Math.abs(low - (SQUARE[0] as Point).x)).toBeLessThan(0.5);
        expect(Math.abs(high - (SQUARE[2] as Point).x)).toBeLessThan(0.5);
      }
    }
  });
});
