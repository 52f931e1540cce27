import { expect, test } from 'vitest';
import { SpareBuffer } from '../../../../edge/inference/spare-buffer.ts';

test('is used again, without what was in it', () => {
  const spare = new SpareBuffer();
  const first = spare.take(6).fill(9);
  spare.giveBack(first);
  expect([...first]).toEqual([0, 0, 0, 0, 0, 0]);
  expect(spare.take(6)).toBe(first);
});

test('is nobody else’s while it is in use, and of the length that is wanted', () => {
  const spare = new SpareBuffer();
  const first = spare.take(6);
  const second = spare.take(6);
  expect(second).not.toBe(first);
  spare.giveBack(first);
  expect(spare.take(3)).toHaveLength(3);
});
