import { expect, test } from 'vitest';
import { formatHistogram } from '../../../edge/api/format-histogram.ts';
import { Histogram } from '../../../edge/runtime/histogram.ts';
import { histogramQuantile } from '../../bench/box/histogram-quantile.ts';

function textOf(milliseconds: readonly number[]): string {
  const histogram = new Histogram();
  for (const value of milliseconds) histogram.record(value);
  const others = formatHistogram('wait_seconds_of_others', 'Others', { '': new Histogram().values() });
  return `${others}${formatHistogram('wait_seconds', 'Waits', { '': histogram.values() })}`;
}

test('a quantile lies in the bucket that holds it, as far in as its share', () => {
  const text = textOf([20, 20, 60, 60, 60, 60, 60, 60, 200, 200]);
  // Six of ten lie between 50 and 100 ms, two before.
  expect(histogramQuantile('', text, 'wait_seconds', 0.5)).toBeCloseTo(75);
  expect(histogramQuantile('', text, 'wait_seconds', 0.9)).toBeCloseTo(175);
});

test('beyond the last bound there is no telling: the bound itself', () => {
  expect(histogramQuantile('', textOf([9000]), 'wait_seconds', 0.95)).toBe(5000);
});

test('of nothing there is no quantile', () => {
  expect(histogramQuantile('', textOf([]), 'wait_seconds', 0.5)).toBeNull();
  expect(histogramQuantile('', '', 'wait_seconds', 0.5)).toBeNull();
});

test('what was recorded before the first look does not count', () => {
  const before = textOf([2000, 2000, 2000]);
  expect(histogramQuantile(before, textOf([2000, 2000, 2000, 20, 20]), 'wait_seconds', 0.95)).toBeLessThan(25);
  expect(histogramQuantile(before, before, 'wait_seconds', 0.95)).toBeNull();
});
