import { expect, test } from 'vitest';
import { comparePairs } from '../../../../provisioning/eval/compare-pairs.ts';
import { stepOf } from '../../../../provisioning/eval/score-counts.ts';

const face = (identity: string, content: string, angle: number) => ({
  identity,
  content,
  embedding: Float32Array.of(Math.cos(angle), Math.sin(angle), 0, 0),
});

test('every pair is counted once under its kind, but for files of the same bytes', async () => {
  const faces = [
    face('anna', 'a', 0),
    face('anna', 'b', Math.PI / 3),
    face('anna', 'a', 0),
    face('ben', 'c', Math.PI),
    face('ben', 'b', Math.PI / 3),
  ];
  const { genuine, impostor, copies } = await comparePairs(faces, new AbortController().signal);
  // a-b twice for Anna, c-b for Ben; Anna's a is there twice, and her b is one of Ben's.
  expect([genuine.total, impostor.total, copies]).toEqual([3, 5, 2]);
  expect(genuine.at(stepOf(0.5))).toBe(2);
  expect(genuine.at(stepOf(-0.5))).toBe(1);
  expect(impostor.at(stepOf(-1))).toBe(2);
});

test('what rounding brings over 1 counts as 1', async () => {
  const over = { identity: 'anna', embedding: Float32Array.of(1.0000001, 0, 0, 0) };
  const faces = [
    { ...over, content: 'a' },
    { ...over, content: 'b' },
  ];
  expect((await comparePairs(faces, new AbortController().signal)).genuine.at(stepOf(1))).toBe(1);
});

test('stops between two faces', async () => {
  const stop = new AbortController();
  const compared = comparePairs([face('anna', 'a', 0), face('anna', 'b', 1)], stop.signal);
  stop.abort(new Error('enough'));
  await expect(compared).rejects.toThrow('enough');
});
