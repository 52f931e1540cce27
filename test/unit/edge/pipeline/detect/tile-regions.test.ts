import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeRegions } from '../../../../../edge/pipeline/detect/merge-regions.ts';
import { tileRegions } from '../../../../../edge/pipeline/detect/tile-regions.ts';
import type { Detection } from '../../../../../edge/pipeline/frame.ts';

const detection = (x: number, y: number, width: number, height: number, score = 0.9): Detection => ({
  box: { x, y, width, height },
  score,
});

describe('tileRegions', () => {
  test('two by two with a fifth in common', () => {
    expect(tileRegions(900, 450, { columns: 2, rows: 2, overlap: 0.2 })).toEqual([
      { x: 0, y: 0, width: 500, height: 250 },
      { x: 400, y: 0, width: 500, height: 250 },
      { x: 0, y: 200, width: 500, height: 250 },
      { x: 400, y: 200, width: 500, height: 250 },
    ]);
  });

  test('cover the picture from edge to edge and no more', () => {
    const grid = fc.record({
      columns: fc.integer({ min: 1, max: 8 }),
      rows: fc.integer({ min: 1, max: 8 }),
      overlap: fc.double({ min: 0, max: 0.5, noNaN: true }),
    });
    fc.assert(
      fc.property(grid, (tiles) => {
        const regions = tileRegions(1280, 720, tiles);
        expect(regions).toHaveLength(tiles.columns * tiles.rows);
        const last = regions.at(-1);
        expect(regions[0]).toMatchObject({ x: 0, y: 0 });
        expect((last?.x ?? 0) + (last?.width ?? 0)).toBeCloseTo(1280, 6);
        expect((last?.y ?? 0) + (last?.height ?? 0)).toBeCloseTo(720, 6);
      }),
    );
  });
});

describe('mergeRegions', () => {
  const picture = { width: 900, height: 450 };
  const regions = [{ x: 0, y: 0, ...picture }, ...tileRegions(900, 450, { columns: 2, rows: 1, overlap: 0.2 })];

  test('a face cut by an inner border is left to the tile that sees the whole of it', () => {
    const part = detection(440, 100, 59, 90, 0.99);
    const whole = detection(440, 100, 80, 95, 0.8);
    expect(mergeRegions(regions, [[], [part], [whole]], picture)).toEqual([whole]);
  });

  test('a face at the edge of the picture is not cut by a border', () => {
    const left = detection(-5, 100, 60, 90);
    const right = detection(850, 380, 60, 80);
    expect(mergeRegions(regions, [[], [left], [right]], picture)).toEqual([left, right]);
  });

  test('what several regions saw is kept once, with the best score', () => {
    const best = detection(420, 100, 60, 70, 0.95);
    expect(mergeRegions(regions, [[detection(422, 98, 58, 74, 0.8)], [detection(419, 100, 60, 70, 0.9)], [best]], picture)).toEqual([best]);
  });

  test('a part that lies within a larger box is the same face; neighbours are not', () => {
    const face = detection(100, 100, 100, 120, 0.9);
    const chin = detection(110, 150, 70, 60, 0.8);
    const neighbour = detection(180, 100, 100, 120, 0.85);
    expect(mergeRegions(regions, [[face], [chin, neighbour], []], picture)).toEqual([face, neighbour]);
  });
});
