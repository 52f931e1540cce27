import { describe, expect, test } from 'vitest';
import { ARCFACE_TEMPLATE } from '../../../../../edge/pipeline/face/align-face.ts';
import { misfit } from '../../../../../edge/pipeline/face/misfit.ts';
import { similarityTransform } from '../../../../../edge/pipeline/face/similarity-transform.ts';
import type { FivePoints, Point } from '../../../../../edge/pipeline/frame.ts';

const turned = (points: FivePoints, degrees: number, scale: number, dx: number, dy: number): FivePoints => {
  const cosine = scale * Math.cos((degrees * Math.PI) / 180);
  const sine = scale * Math.sin((degrees * Math.PI) / 180);
  const map = ({ x, y }: Point): Point => ({ x: cosine * x - sine * y + dx, y: sine * x + cosine * y + dy });
  const [a, b, c, d, e] = points;
  return [map(a), map(b), map(c), map(d), map(e)];
};

describe('similarityTransform', () => {
  test.each([
    [0, 1, 0, 0],
    [30, 2, 100, -50],
    [-170, 0.3, 5, 900],
  ])('finds turn %i, scale %f, shift %i %i', (degrees, scale, dx, dy) => {
    const { a, b, c, d, tx, ty } = similarityTransform(ARCFACE_TEMPLATE, turned(ARCFACE_TEMPLATE, degrees, scale, dx, dy));
    expect(a).toBeCloseTo(scale * Math.cos((degrees * Math.PI) / 180), 9);
    expect(c).toBeCloseTo(scale * Math.sin((degrees * Math.PI) / 180), 9);
    expect([b, d]).toEqual([-c, a]);
    expect(tx).toBeCloseTo(dx, 6);
    expect(ty).toBeCloseTo(dy, 6);
  });

  test('never reflects, even where a reflection would fit exactly', () => {
    const mirrored = ARCFACE_TEMPLATE.map(({ x, y }) => ({ x: -x, y }));
    const { a, b, c, d } = similarityTransform(ARCFACE_TEMPLATE, mirrored);
    expect(a * d - b * c).toBeGreaterThan(0);
  });

  test('is the least-squares answer: every other turn, scale or shift fits worse', () => {
    const off: Point[] = [
      { x: 40, y: 50 },
      { x: 70, y: 55 },
      { x: 58, y: 70 },
      { x: 40, y: 95 },
      { x: 75, y: 90 },
    ];
    const best = similarityTransform(ARCFACE_TEMPLATE, off);
    const error = ({ a, c, tx, ty }: { a: number; c: number; tx: number; ty: number }): number =>
      ARCFACE_TEMPLATE.reduce((sum, { x, y }, index) => {
        const target = off[index] as Point;
        return sum + (a * x - c * y + tx - target.x) ** 2 + (c * x + a * y + ty - target.y) ** 2;
      }, 0);
    for (const key of ['a', 'c', 'tx', 'ty'] as const) {
      for (const step of [-0.01, 0.01]) expect(error({ ...best, [key]: best[key] + step })).toBeGreaterThan(error(best));
    }
  });

  test('points that coincide give nothing finite', () => {
    const point = { x: 3, y: 3 };
    expect(similarityTransform([point, point], [point, point]).a).toBeNaN();
  });
});

describe('misfit', () => {
  test('0 for the template however it is turned, scaled and moved', () => {
    expect(misfit(turned(ARCFACE_TEMPLATE, 40, 3, 100, 200))).toBeCloseTo(0, 9);
  });

  test('large for a mirrored and for a crumpled face, and never small for a single point', () => {
    const [a, b, c, d, e] = ARCFACE_TEMPLATE;
    expect(misfit([b, a, c, e, d])).toBeGreaterThan(0.45);
    expect(misfit([a, d, b, e, c])).toBeGreaterThan(0.45);
    expect(misfit([a, a, a, a, a]) <= 0.45).toBe(false);
  });
});
