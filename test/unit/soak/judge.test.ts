import { expect, test } from 'vitest';
import { drawChart } from '../../soak/draw-chart.ts';
import { judge } from '../../soak/judge.ts';
import type { Sample } from '../../soak/sample.ts';

/** A sample each second, with what `at` says of its second. */
const run = (seconds: number, at: (second: number) => Partial<Sample>): Sample[] =>
  Array.from({ length: seconds }, (_, second) => ({
    seconds: second,
    daemonMb: 500,
    vaultsMb: 100,
    heapMb: 50,
    externalMb: 10,
    handles: 30,
    descriptors: 100,
    threads: 150,
    frames: second * 20,
    skipped: 0,
    ...at(second),
  }));

test('a box that has all it needs after five minutes is good, however much it took until then', () => {
  const verdict = judge(run(900, (second) => ({ daemonMb: 200 + Math.min(second, 300) })));
  expect(verdict).toMatchObject({ good: true, rssMb: { settled: 600, end: 600, good: true } });
});

test('six percent more memory at the end than after five minutes is too much, as is memory of the vaults alone', () => {
  expect(judge(run(900, (second) => ({ daemonMb: 500 + (second / 900) * 70 }))).rssMb.good).toBe(false);
  expect(judge(run(900, (second) => ({ vaultsMb: 100 + (second / 900) * 70 })))).toMatchObject({ good: false });
  expect(judge(run(900, (second) => ({ daemonMb: 500 + (second / 900) * 20 }))).good).toBe(true);
});

test('a leak of descriptors, threads or handles fails a run whose memory is steady; a few more do not', () => {
  for (const figure of ['descriptors', 'threads', 'handles'] as const) {
    expect(judge(run(900, (second) => ({ [figure]: 100 + second / 10 }))).good).toBe(false);
    expect(judge(run(900, (second) => ({ [figure]: 100 + (second > 800 ? 5 : 0) }))).good).toBe(true);
  }
});

test('a short run is compared with its half', () => {
  expect(judge(run(60, (second) => ({ daemonMb: second < 30 ? 300 : 500 }))).rssMb).toMatchObject({ settled: 600, good: true });
  expect(judge(run(60, (second) => ({ daemonMb: second < 40 ? 300 : 500 }))).good).toBe(false);
});

test('the chart has a line for each figure', () => {
  const chart = drawChart(run(10, () => ({})));
  expect(chart.match(/<polyline/g)).toHaveLength(8);
  expect(chart).not.toContain('NaN');
});
