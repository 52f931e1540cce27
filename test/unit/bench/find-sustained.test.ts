import { expect, test } from 'vitest';
import { findSustained } from '../../bench/capacity/find-sustained.ts';

async function found(truth: number, guess: number): Promise<{ sustained: number; tried: number[] }> {
  const tried: number[] = [];
  const sustained = await findSustained(guess, async (cameras) => {
    tried.push(cameras);
    return cameras <= truth;
  });
  return { sustained, tried };
}

test.each([
  [16, 16],
  [16, 13],
  [16, 20],
  [5, 8],
  [1, 1],
])('%d cameras are found from a guess of %d, as well as four runs can', async (truth, guess) => {
  const { sustained, tried } = await found(truth, guess);
  expect(sustained).toBeLessThanOrEqual(truth);
  expect(sustained).toBeGreaterThanOrEqual(Math.floor(truth * 0.85));
  expect(tried.length).toBeLessThanOrEqual(4);
});

test('what was never kept up with is not claimed', async () => {
  expect((await found(0, 6)).sustained).toBe(0);
});
