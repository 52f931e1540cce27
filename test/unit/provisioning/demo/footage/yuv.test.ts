import { expect, test } from 'vitest';
import { toYuv420, yuvOf } from '../../../../../provisioning/demo/footage/yuv.ts';

test.each([
  ['white', [255, 255, 255], [235, 128, 128]],
  ['black', [0, 0, 0], [16, 128, 128]],
  ['red', [255, 0, 0], [81, 90, 240]],
  ['green', [0, 255, 0], [145, 54, 34]],
  ['blue', [0, 0, 255], [41, 240, 110]],
])('ITU-R BT.601: %s', (_, rgb, expected) => {
  const { y, u, v } = yuvOf(Uint8Array.from(rgb));
  expect([y[0], u[0], v[0]]).toEqual(expected);
});

test('4:2:0 averages four chroma samples into one', () => {
  const chroma = Uint8Array.from([10, 20, 100, 100, 30, 40, 100, 100]);
  const luma = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(Array.from(toYuv420({ y: luma, u: chroma, v: chroma }, 4, 2))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 25, 100, 25, 100]);
});
