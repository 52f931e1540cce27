import { describe, expect, test } from 'vitest';
import { suppressOverlaps } from '../../../../../edge/pipeline/detect/suppress-overlaps.ts';
import type { Detection } from '../../../../../edge/pipeline/frame.ts';

const at = (x: number, score: number): Detection => ({ box: { x, y: 0, width: 10, height: 10 }, score });

describe('suppressOverlaps', () => {
  test('keeps the best of what overlaps, best first', () => {
    expect(suppressOverlaps([at(0, 0.6), at(1, 0.9), at(50, 0.7)], 0.3)).toEqual([at(1, 0.9), at(50, 0.7)]);
  });

  test('greedy: what only a dropped one overlapped stays', () => {
    expect(suppressOverlaps([at(0, 0.9), at(4, 0.8), at(8, 0.7)], 0.3)).toEqual([at(0, 0.9), at(8, 0.7)]);
  });

  test('an overlap of exactly the limit is allowed', () => {
    // 5 of 10 columns in common: 50 of 150.
    expect(suppressOverlaps([at(0, 0.9), at(5, 0.8)], 1 / 3)).toHaveLength(2);
    expect(suppressOverlaps([at(0, 0.9), at(5, 0.8)], 0.33)).toHaveLength(1);
  });

  test('equal scores keep their order; the given list is not changed', () => {
    const list = [at(0, 0.5), at(1, 0.5)];
    expect(suppressOverlaps(list, 0.3)).toEqual([at(0, 0.5)]);
    expect(list).toHaveLength(2);
    expect(suppressOverlaps([], 0.3)).toEqual([]);
  });
});
