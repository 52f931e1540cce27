import { expect, test } from 'vitest';
import { comparePairs } from '../../../../provisioning/eval/compare-pairs.ts';
import { stepOf } from '../../../../provisioning/eval/score-counts.ts';

const face = (identity: string, content: string, angle: number) => ({
  identity,
  name: `${identity}/${content}`,
  content,
  embedding: Float32Array.of(Math.cos(angle), Math.sin(angle), 0, 0),
});

const untilTheEnd = { onProgress: () => undefined, signal: new AbortController().signal };

test('every pair is counted once under its kind, but for files of the same bytes', async () => {
  const faces = [
    face('anna', 'a', 0),
    face('anna', 'b', Math.PI / 3),
    face('anna', 'a', 0),
    face('ben', 'c', Math.PI),
    face('ben', 'b', Math.PI / 3),
  ];
  const { genuine, impostor, copies } = await comparePairs(faces, untilTheEnd);
  // a-b twice for Anna, c-b for Ben; Anna's a is there twice, and her b is one of Ben's.
  expect([genuine.total, impostor.total, copies]).toEqual([3, 5, 2]);
  expect(genuine.at(stepOf(0.5))).toBe(2);
  expect(genuine.at(stepOf(-0.5))).toBe(1);
  expect(impostor.at(stepOf(-1))).toBe(2);
});

test('what rounding brings over 1 counts as 1', async () => {
  const over = { identity: 'anna', name: 'anna/1', embedding: Float32Array.of(1.0000001, 0, 0, 0) };
  const faces = [
    { ...over, content: 'a' },
    { ...over, content: 'b' },
  ];
  expect((await comparePairs(faces, untilTheEnd)).genuine.at(stepOf(1))).toBe(1);
});

test('stops between two faces', async () => {
  const stop = new AbortController();
  const compared = comparePairs([face('anna', 'a', 0), face('anna', 'b', 1)], { ...untilTheEnd, signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(compared).rejects.toThrow('enough');
});

test('names the twenty least alike pairs of one person and the most alike of two, furthest first', async () => {
  // Anna's 30th picture is really one of Ben's.
  const annas = Array.from({ length: 29 }, (_, index) => face('anna', `a${index}`, index / 1000));
  const bens = Array.from({ length: 3 }, (_, index) => face('ben', `b${index}`, 2 + index / 1000));
  const { suspicious } = await comparePairs([...annas, face('anna', 'astray', 2.003), ...bens], untilTheEnd);
  expect(suspicious.genuine).toHaveLength(20);
  expect(suspicious.genuine[0]).toEqual({ pictures: ['anna/a0', 'anna/astray'], score: expect.closeTo(Math.cos(2.003)) });
  expect(suspicious.genuine.every(({ pictures }) => pictures.includes('anna/astray'))).toBe(true);
  expect(suspicious.genuine.map(({ score }) => score)).toEqual(suspicious.genuine.map(({ score }) => score).toSorted((a, b) => a - b));
  expect(suspicious.impostor.slice(0, 3).map(({ pictures }) => pictures)).toEqual([
    ['anna/astray', 'ben/b2'],
    ['anna/astray', 'ben/b1'],
    ['anna/astray', 'ben/b0'],
  ]);
});

test('tells how far it is, to the last pair', async () => {
  const told: number[][] = [];
  await comparePairs([face('anna', 'a', 0), face('anna', 'b', 1), face('ben', 'c', 2)], {
    ...untilTheEnd,
    onProgress: (...progress) => told.push(progress),
  });
  expect(told).toEqual([
    [0, 3],
    [1, 3],
    [3, 3],
  ]);
});
