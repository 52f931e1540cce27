import { expect, test } from 'vitest';
import { costOf, machineOf, predictStreams } from '../../bench/capacity/predict-streams.ts';

const COST = { main: 8, inference: 50, decode: 30, rest: 12 };

test('cores are shared by everything that a stream costs', () => {
  expect(predictStreams(COST, machineOf(2))).toEqual({ streams: expect.closeTo(18), limit: 'cores' });
});

test('more cores help until the inference threads are busy, since there are eight at most', () => {
  expect(predictStreams(COST, machineOf(8)).limit).toBe('cores');
  expect(predictStreams({ ...COST, main: 5 }, machineOf(64))).toEqual({ streams: expect.closeTo(144), limit: 'inference threads' });
});

test('one thread knows the order of all streams', () => {
  expect(predictStreams({ ...COST, inference: 10 }, machineOf(64))).toEqual({ streams: expect.closeTo(112.5), limit: 'main thread' });
});

test('what is left over counts as well, also the test camera, which is told in percent of a core', () => {
  const partsMs = { main: 8, inference: 50, decode: 30, rest: 5, vaults: 3 };
  expect(costOf({ partsMs, cameraPct: 0.4 })).toEqual(COST);
});
