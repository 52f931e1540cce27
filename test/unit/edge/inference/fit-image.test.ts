import { describe, expect, test } from 'vitest';
import { fitImage, fittedSize } from '../../../../edge/inference/fit-image.ts';
import type { RgbImage } from '../../../../edge/inference/image.ts';

/** 200x100, white, with a red pixel block of 20x20 at (100, 40). */
const image: RgbImage = { width: 200, height: 100, data: new Uint8Array(200 * 100 * 3).fill(255) };
for (let y = 40; y < 60; y++) for (let x = 100; x < 120; x++) image.data.set([255, 0, 0], (y * 200 + x) * 3);
const whole = { x: 0, y: 0, width: 200, height: 100 };
const size = { width: 80, height: 80 };

/** Corners of the red block in a picture. */
function red({ width, height, data }: RgbImage): { left: number; top: number; right: number; bottom: number } {
  const found = { left: width, top: height, right: -1, bottom: -1 };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      if ((data[at] as number) < 128 || (data[at + 1] as number) > 128) continue;
      found.left = Math.min(found.left, x);
      found.top = Math.min(found.top, y);
      found.right = Math.max(found.right, x + 1);
      found.bottom = Math.max(found.bottom, y + 1);
    }
  }
  return found;
}

describe('fitImage', () => {
  test.each(['stretch', 'box', 'aligned'] as const)('%s fills the whole input', (fit) => {
    const { image: fitted, scaleX, scaleY } = fitImage(image, whole, { fit, pad: 7 }, size);
    expect(red(fitted)).toEqual({ left: 40, top: 32, right: 48, bottom: 48 });
    expect([scaleX, scaleY]).toEqual([2.5, 1.25]);
  });

  test('letterbox-top-left keeps the proportions and pads below', () => {
    const { image: fitted, scaleX, scaleY } = fitImage(image, whole, { fit: 'letterbox-top-left', pad: 7 }, size);
    expect(red(fitted)).toEqual({ left: 40, top: 16, right: 48, bottom: 24 });
    expect([scaleX, scaleY]).toEqual([2.5, 2.5]);
    expect([...new Set(fitted.data.subarray(40 * 80 * 3))]).toEqual([7]);
    expect(fitted.data[40 * 80 * 3 - 1]).toBe(255);
  });

  test('letterbox-top-left of a tall region pads to the right', () => {
    const {
      image: fitted,
      scaleX,
      scaleY,
    } = fitImage(image, { x: 90, y: 0, width: 50, height: 100 }, { fit: 'letterbox-top-left', pad: 0 }, size);
    expect(red(fitted)).toEqual({ left: 8, top: 32, right: 24, bottom: 48 });
    expect([scaleX, scaleY]).toEqual([1.25, 1.25]);
    expect([...fitted.data.subarray(39 * 3, 41 * 3)]).toEqual([255, 255, 255, 0, 0, 0]);
  });

  test('the scales lead back exactly where sides are rounded', () => {
    const { scaleX, scaleY } = fitImage(image, { x: 0, y: 0, width: 199, height: 33 }, { fit: 'letterbox-top-left', pad: 0 }, size);
    expect([scaleX, scaleY]).toEqual([199 / 80, 33 / 13]);
  });
});

describe('a reduced picture that came with the whole one', () => {
  const letterbox = { fit: 'letterbox-top-left', pad: 7 } as const;
  const inner = fittedSize(image, letterbox, size);
  const reduced: RgbImage = { ...inner, data: new Uint8Array(inner.width * inner.height * 3).fill(33) };

  test('is taken where the whole is wanted at its size', () => {
    expect(inner).toEqual({ width: 80, height: 40 });
    const { image: fitted, scaleX, scaleY } = fitImage({ ...image, reduced }, whole, letterbox, size);
    expect([...new Set(fitted.data.subarray(0, 40 * 80 * 3))]).toEqual([33]);
    expect([...new Set(fitted.data.subarray(40 * 80 * 3))]).toEqual([7]);
    expect([scaleX, scaleY]).toEqual([2.5, 2.5]);
  });

  test('gives a part of itself where the part is wanted at its scale', () => {
    const marked: RgbImage = { ...reduced, data: reduced.data.map((_, index) => Math.floor(index / 3) % reduced.width) };
    const { image: fitted, scaleX } = fitImage(
      { ...image, data: new Uint8Array(), reduced: marked },
      { x: 50, y: 25, width: 75, height: 50 },
      { fit: 'stretch', pad: 0 },
      { width: 30, height: 20 },
    );
    expect([fitted.width, fitted.height, scaleX]).toEqual([30, 20, 2.5]);
    expect([...fitted.data.subarray(19 * 90, 20 * 90)]).toEqual(Array.from({ length: 90 }, (_, index) => 20 + Math.floor(index / 3)));
  });

  test.each([
    ['a part', { ...whole, x: 10, width: 190 }, letterbox],
    ['another part of the same size', { ...whole, x: 10 }, letterbox],
    ['more than it shows', whole, { ...letterbox, fit: 'stretch' }],
  ] as const)('is not taken where %s is wanted', (_, region, input) => {
    expect(fitImage({ ...image, reduced }, region, input, size)).toEqual(fitImage(image, region, input, size));
  });

  test.each([
    ['less than it shows is wanted', image, letterbox, { width: 40, height: 40 }],
    ['there is nothing else', { ...image, data: new Uint8Array() }, { ...letterbox, fit: 'stretch' }, size],
  ] as const)('is resized where %s', (_, picture, input, to) => {
    const { image: fitted, scaleX } = fitImage({ ...picture, reduced }, whole, input, to);
    expect(fitted).toMatchObject(to);
    expect(fitted.data[0]).toBe(33);
    expect(scaleX).toBe(200 / to.width);
  });
});
