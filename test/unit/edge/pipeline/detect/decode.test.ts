import { describe, expect, test } from 'vitest';
import type { OutputTensor } from '../../../../../edge/inference/model-session.ts';
import { decodeScrfd } from '../../../../../edge/pipeline/detect/decode-scrfd.ts';
import { decodeUltraface } from '../../../../../edge/pipeline/detect/decode-ultraface.ts';

const tensor = (dims: number[], fill: (data: Float32Array) => void = () => undefined): OutputTensor => {
  const data = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
  fill(data);
  return { name: 'output', dims, data };
};

describe('decodeUltraface', () => {
  const size = { width: 320, height: 240 };
  const outputs = [
    tensor([2, 3, 2], (data) => data.set([0.1, 0.9, 0.95, 0.05, 0.31, 0.69, 0.9, 0.1, Number.NaN, Number.NaN, 0.2, 0.8])),
    tensor([2, 3, 4], (data) => data.set([0.25, 0.5, 0.5, 0.75, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, -0.1, 0.9, 0.2, 1.2])),
  ];

  test('takes the second score and relative corners, of the picture asked for', () => {
    expect(decodeUltraface(outputs, 0, size, 0.7)).toEqual([{ box: { x: 80, y: 120, width: 80, height: 60 }, score: expect.closeTo(0.9) }]);
    const [second] = decodeUltraface(outputs, 1, size, 0.7);
    expect(second?.score).toBeCloseTo(0.8);
    expect(second?.box.x).toBeCloseTo(-32);
    expect(second?.box.y).toBeCloseTo(216);
    expect(second?.box.width).toBeCloseTo(96);
  });

  test('a score that is no number is no face', () => {
    expect(decodeUltraface(outputs, 1, size, 0)).toHaveLength(2);
  });

  test('a lower threshold lets more in', () => {
    expect(decodeUltraface(outputs, 0, size, 0.6)).toHaveLength(2);
  });

  test('outputs of another form are refused', () => {
    expect(() => decodeUltraface(outputs, 2, size, 0.7)).toThrow(expect.objectContaining({ code: 'inference_failed' }));
    expect(() => decodeUltraface([tensor([1, 3, 2])], 0, size, 0.7)).toThrow(expect.objectContaining({ code: 'inference_failed' }));
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
