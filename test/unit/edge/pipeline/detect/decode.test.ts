import { describe, expect, test } from 'vitest';
import type { OutputTensor } from '../../../../../edge/inference/model-session.ts';
import type { Region } from '../../../../../edge/inference/resize.ts';
import { decodeScrfd } from '../../../../../edge/pipeline/detect/decode-scrfd.ts';
import { decodeUltraface } from '../../../../../edge/pipeline/detect/decode-ultraface.ts';
import type { Box } from '../../../../../edge/pipeline/frame.ts';

const tensor = (dims: number[], fill: (data: Float32Array) => void = () => undefined): OutputTensor => {
  const data = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
  fill(data);
  return { name: 'output', dims, data };
};

describe('decodeUltraface', () => {
  const whole = { width: 320, height: 240 };
  const all = { x: 0, y: 0, ...whole };
  const ANCHORS = 4420;
  /** Second anchor of the cell in column 5 of row 3 of the first level, and the first in column 2 of row 1 of the third. */
  const SMALL = (3 * 40 + 5) * 3 + 1;
  const LARGE = 40 * 30 * 3 + 20 * 15 * 2 + (10 + 2) * 2;
  const outputs = (): OutputTensor[] => [tensor([2, ANCHORS, 2]), tensor([2, ANCHORS, 4])];
  const put = ([scores, boxes]: readonly OutputTensor[], picture: number, anchor: number, score: number, offsets: number[]): void => {
    scores?.data.set([1 - score, score], (picture * ANCHORS + anchor) * 2);
    boxes?.data.set(offsets, (picture * ANCHORS + anchor) * 4);
  };

  test('takes the second score and a box off from its anchor, of the picture asked for', () => {
    const given = outputs();
    put(given, 1, SMALL, 0.9, [0, 0, 0, 0]);
    put(given, 1, LARGE, 0.8, [5, -2.5, Math.log(2) / 0.2, Math.log(0.5) / 0.2]);
    expect(decodeUltraface(given, 0, all, 0.7, whole)).toEqual([]);
    const [small, large] = decodeUltraface(given, 1, all, 0.7, whole);
    expect(small).toEqual({ box: { x: 36, y: 20, width: 16, height: 16 }, score: expect.closeTo(0.9) });
    // Its rows are 30 pixels apart: eight of them make 240.
    const box = { x: 80 + 32 - 64, y: 45 - 16 - 16, width: 128, height: 32 };
    expect(large?.box).toEqual(Object.fromEntries(Object.entries(box).map(([name, value]) => [name, expect.closeTo(value, 4)])));
  });

  test('a part of the input has the anchors of the whole in the same places', () => {
    const anchorsOf = (part: Region): Box[] => {
      const count = [
        [8, 3],
        [16, 2],
        [32, 2],
        [64, 3],
      ].reduce((sum, [stride = 1, sides = 0]) => sum + Math.ceil(part.width / stride) * Math.ceil(part.height / stride) * sides, 0);
      return decodeUltraface([tensor([1, count, 2], (data) => data.fill(1)), tensor([1, count, 4])], 0, part, 0.7, whole).map(
        ({ box }) => ({ ...box, x: box.x + part.x, y: box.y + part.y }),
      );
    };
    const nameOf = ({ x, y, width, height }: Box): string => [x, y, width, height].join();
    const known = new Set(anchorsOf(all).map(nameOf));
    expect(known.size).toBe(ANCHORS);
    for (const part of [
      { x: 64, y: 64, width: 128, height: 128 },
      { x: 192, y: 128, width: 128, height: 112 },
    ]) {
      const anchors = anchorsOf(part);
      expect(anchors[0]).toEqual({ x: part.x - 1, y: part.y - 1, width: 10, height: 10 });
      expect(anchors.filter((anchor) => !known.has(nameOf(anchor)))).toEqual([]);
    }
  });

  test('a score that is no number is no face', () => {
    const given = outputs();
    put(given, 0, SMALL, Number.NaN, [0, 0, 0, 0]);
    expect(decodeUltraface(given, 0, all, 0.5, whole)).toEqual([]);
  });

  test('a lower threshold lets more in', () => {
    const given = outputs();
    put(given, 0, SMALL, 0.69, [0, 0, 0, 0]);
    expect([0.7, 0.6].map((threshold) => decodeUltraface(given, 0, all, threshold, whole).length)).toEqual([0, 1]);
  });

  test('outputs of another form are refused', () => {
    const refused = expect.objectContaining({ code: 'inference_failed' });
    expect(() => decodeUltraface(outputs(), 2, all, 0.7, whole)).toThrow(refused);
    expect(() => decodeUltraface(outputs().slice(0, 1), 0, all, 0.7, whole)).toThrow(refused);
    expect(() => decodeUltraface(outputs(), 0, { ...all, width: 160 }, 0.7, whole)).toThrow(refused);
  });
});

describe('decodeScrfd', () => {
  const size = { width: 96, height: 64 };
  const rows = [12 * 8 * 2, 6 * 4 * 2, 3 * 2 * 2];
  const batch = 2;
  const nine = (): OutputTensor[] => [1, 4, 10].flatMap((width) => rows.map((count) => tensor([batch, count, width])));
  const put = (
    outputs: readonly OutputTensor[],
    level: number,
    picture: number,
    row: number,
    score: number,
    box: number[],
    points: number[],
  ): void => {
    const count = rows[level] as number;
    outputs[level]?.data.set([score], picture * count + row);
    outputs[level + 3]?.data.set(box, (picture * count + row) * 4);
    outputs[level + 6]?.data.set(points, (picture * count + row) * 10);
  };

  test.each([
    [0, 8, 12],
    [1, 16, 6],
    [2, 32, 3],
  ])('level %i: distances in strides of %i from the cell, two anchors a cell', (level, stride, columns) => {
    const outputs = nine();
    // Second anchor of the cell in column 2 of row 1.
    put(outputs, level, 1, (columns + 2) * 2 + 1, 0.75, [1, 0.5, 2, 1.5], [0, 0, 1, 0, 0.5, 0.5, 0, 1, 1, 1]);
    expect(decodeScrfd(outputs, 0, size, 0.5)).toEqual([]);
    const [x, y] = [2 * stride, stride];
    expect(decodeScrfd(outputs, 1, size, 0.5)).toEqual([
      {
        box: { x: x - stride, y: y - stride / 2, width: 3 * stride, height: 2 * stride },
        score: 0.75,
        points: [
          { x, y },
          { x: x + stride, y },
          { x: x + stride / 2, y: y + stride / 2 },
          { x, y: y + stride },
          { x: x + stride, y: y + stride },
        ],
      },
    ]);
  });

  test('outputs of another form are refused', () => {
    const refused = expect.objectContaining({ code: 'inference_failed' });
    expect(() => decodeScrfd(nine().slice(0, 8), 0, size, 0.5)).toThrow(refused);
    expect(() => decodeScrfd(nine(), 2, size, 0.5)).toThrow(refused);
    expect(() => decodeScrfd(nine(), 0, { width: 128, height: 64 }, 0.5)).toThrow(refused);
    expect(() => decodeScrfd(nine().toReversed(), 0, size, 0.5)).toThrow(refused);
  });
});
