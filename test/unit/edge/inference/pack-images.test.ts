import { describe, expect, test } from 'vitest';
import type { RgbImage } from '../../../../edge/inference/image.ts';
import { packImages } from '../../../../edge/inference/pack-images.ts';
import type { ModelEntry } from '../../../../models/registry/manifest-schema.ts';

const rgb: ModelEntry['input'] = {
  layout: 'nchw',
  width: 2,
  height: 1,
  channels: 'rgb',
  mean: 0,
  std: 1,
  fit: 'stretch',
  pad: 0,
  dynamicSize: false,
};
/** One orange and one blue pixel, and a picture in which every value differs. */
const first: RgbImage = { width: 2, height: 1, data: Uint8Array.of(200, 100, 0, 0, 0, 255) };
const second: RgbImage = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };

describe('packs', () => {
  test('planes of red, green and blue, one picture after the other', () => {
    expect([...packImages([first, second], rgb)]).toEqual([200, 0, 100, 0, 0, 255, 1, 4, 2, 5, 3, 6]);
  });

  test('blue first where the model wants it', () => {
    expect([...packImages([second], { ...rgb, channels: 'bgr' })]).toEqual([3, 6, 2, 5, 1, 4]);
  });

  test('pixel by pixel where the model wants it', () => {
    expect([...packImages([second], { ...rgb, layout: 'nhwc' })]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...packImages([second], { ...rgb, layout: 'nhwc', channels: 'bgr' })]).toEqual([3, 2, 1, 6, 5, 4]);
  });

  test('grey by BT.601', () => {
    const [orange, blue] = packImages([first], { ...rgb, channels: 'grey' });
    expect(orange).toBeCloseTo(0.299 * 200 + 0.587 * 100, 3);
    expect(blue).toBeCloseTo(0.114 * 255, 3);
  });

  test('(pixel - mean) / std', () => {
    const [value] = packImages([first], { ...rgb, mean: 127.5, std: 128 });
    expect(value).toBeCloseTo((200 - 127.5) / 128, 6);
  });

  test('into a buffer that is used again', () => {
    const buffer = new Float32Array(6).fill(9);
    const asked: number[] = [];
    const allocate = (length: number): Float32Array => {
      asked.push(length);
      return buffer;
    };
    expect(packImages([second], rgb, rgb, allocate)).toBe(buffer);
    expect(asked).toEqual([6]);
    expect([...buffer]).toEqual([1, 4, 2, 5, 3, 6]);
  });

  test('another size than the nominal where it is given', () => {
    const tall: RgbImage = { width: 1, height: 2, data: second.data };
    expect([...packImages([tall], rgb, { width: 1, height: 2 })]).toEqual([1, 4, 2, 5, 3, 6]);
  });
});

describe('refuses', () => {
  test.each<[string, RgbImage]>([
    ['a picture of another size', { width: 1, height: 2, data: new Uint8Array(6) }],
    ['a picture with bytes missing', { width: 2, height: 1, data: new Uint8Array(5) }],
  ])('%s', (_name, image) => {
    expect(() => packImages([image], rgb)).toThrow(expect.objectContaining({ code: 'inference_failed' }));
  });
});
