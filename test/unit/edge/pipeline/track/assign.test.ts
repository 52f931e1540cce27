import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign } from '../../../../../edge/pipeline/track/assign.ts';

/** Least total by trying every assignment. */
function bruteForce(
  costs: readonly (readonly number[])[],
  row = 0,
  used = new Set<number>(),
  open = Math.min(costs.length, costs[0]?.length ?? 0),
): number {
  if (open === 0) return 0;
  if (row === costs.length) return Number.POSITIVE_INFINITY;
  let best = bruteForce(costs, row + 1, used, open);
  costs[row]?.forEach((cost, column) => {
    if (used.has(column)) return;
    best = Math.min(best, cost + bruteForce(costs, row + 1, new Set(used).add(column), open - 1));
  });
  return best;
}

describe('assign', () => {
  test('prefers the least total to the least single cost', () => {
    expect(
      assign([
        [1, 2],
        [1.5, 9],
      ]),
    ).toEqual([1, 0]);
  });

  test('leaves rows without a column when there are more rows', () => {
    expect(assign([[5], [1], [3]])).toEqual([-1, 0, -1]);
    expect(assign([[5, 1, 3]])).toEqual([1]);
    expect(assign([])).toEqual([]);
    expect(assign([[], []])).toEqual([-1, -1]);
  });

  test('total cost is the least there is', () => {
    const matrix = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })).chain(([rows, columns]) =>
      fc.array(fc.array(fc.integer({ min: -20, max: 20 }), { minLength: columns, maxLength: columns }), {
        minLength: rows,
        maxLength: rows,
      }),
    );
    fc.assert(
      fc.property(matrix, (costs) => {
        const columns = assign(costs);
        const used = columns.filter((column) => column >= 0);
        expect(new Set(used).size).toBe(used.length);
        expect(used.length).toBe(Math.min(costs.length, costs[0]?.length ?? 0));
        const total = columns.reduce((sum, column, row) => sum + (costs[row]?.[column] ?? 0), 0);
        expect(total).toBe(bruteForce(costs));
      }),
    );
  });
});
