import { expect, test } from 'vitest';
import { createSqliteVecIndex } from '../../../../../edge/vault/gallery/sqlite-vec-index.ts';
import { embeddingOf } from '../../../../helpers/vault-guests.ts';

const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

test('gives the same order and scores as comparing with every face', () => {
  const index = createSqliteVecIndex();
  const faces = Array.from({ length: 300 }, (_, seed) => ({ faceId: `f${seed}`, embedding: embeddingOf(seed) }));
  for (const { faceId, embedding } of faces) index.add(faceId, embedding);
  for (const seed of [5, 1000, 1001]) {
    const probe = embeddingOf(seed);
    const expected = faces.map(({ faceId, embedding }) => ({ faceId, score: cosine(embedding, probe) })).sort((a, b) => b.score - a.score);
    const found = index.search(probe, 10);
    expect(found.map(({ faceId }) => faceId)).toEqual(expected.slice(0, 10).map(({ faceId }) => faceId));
    found.forEach(({ score }, rank) => void expect(score).toBeCloseTo(expected[rank]?.score ?? Number.NaN, 5));
  }
  index.clear();
});

test('counts its faces, forgets removed ones and does not mind one that is not there', () => {
  const index = createSqliteVecIndex();
  index.add('a', embeddingOf(1));
  index.add('b', embeddingOf(2));
  index.remove('a');
  index.remove('a');
  expect(index.size).toBe(1);
  expect(index.search(embeddingOf(1), 5).map(({ faceId }) => faceId)).toEqual(['b']);
  index.clear();
  expect(index.size).toBe(0);
});

test('asked for more than sqlite-vec can answer, it gives what there is', () => {
  const index = createSqliteVecIndex();
  index.add('a', embeddingOf(1));
  expect(index.search(embeddingOf(1), 100_000)).toHaveLength(1);
  index.clear();
});

test('compares with one face alone, and knows which one is not there', () => {
  const index = createSqliteVecIndex();
  for (const seed of [1, 2]) index.add(`f${seed}`, embeddingOf(seed));
  const probe = embeddingOf(3);
  expect(index.similarity('f1', embeddingOf(1))).toBeCloseTo(1, 5);
  expect(index.similarity('f2', probe)).toBeCloseTo(cosine(embeddingOf(2), probe), 5);
  index.remove('f2');
  expect(index.similarity('f2', probe)).toBeUndefined();
  index.clear();
});
