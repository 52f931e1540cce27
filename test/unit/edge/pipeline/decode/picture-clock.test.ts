import { expect, test } from 'vitest';
import { PictureClock } from '../../../../../edge/pipeline/decode/picture-clock.ts';

test('times count from the first picture, whatever the stream begins with', () => {
  const clock = new PictureClock();
  expect([90_000, 90_200, 90_150].map((time) => clock.timeOf(time, 40))).toEqual([0, 200, 150]);
});

test('a first picture without a time comes one picture before the second', () => {
  const clock = new PictureClock();
  expect([null, 5100, 5200].map((time) => clock.timeOf(time, 100))).toEqual([0, 100, 200]);
});

test('pictures without times follow each other at the rate of the stream, or at the usual one', () => {
  const [known, unknown] = [new PictureClock(), new PictureClock()];
  expect([null, null, null].map((time) => known.timeOf(time, 100))).toEqual([0, 100, 200]);
  expect([null, null, null].map((time) => unknown.timeOf(time, 0))).toEqual([0, 40, 80]);
});
