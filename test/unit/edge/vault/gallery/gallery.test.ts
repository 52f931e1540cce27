import { describe, expect, test } from 'vitest';
import { Gallery } from '../../../../../edge/vault/gallery/gallery.ts';
import { createSqliteVecIndex } from '../../../../../edge/vault/gallery/sqlite-vec-index.ts';
import { embeddingOf } from '../../../../helpers/vault-guests.ts';

const galleryFace = (faceId: string, seed: number, model = 'm'): { faceId: string; model: string; embedding: Float32Array } => ({
  faceId,
  model,
  embedding: embeddingOf(seed),
});

describe('Gallery', () => {
  test('names each customer once, by the nearest face, best first', () => {
    const gallery = new Gallery(createSqliteVecIndex);
    gallery.admit('anna', 1000, [galleryFace('a1', 1), galleryFace('a2', 2)]);
    gallery.admit('bert', 1000, [galleryFace('b1', 3)]);
    const found = gallery.search('m', embeddingOf(2), 5, 0);
    expect(found.map(({ customerId, faceId }) => [customerId, faceId])).toEqual([
      ['anna', 'a2'],
      ['bert', 'b1'],
    ]);
    expect(found[0]?.score).toBeCloseTo(1, 5);
  });

  test('many faces of one customer do not crowd out the next', () => {
    const gallery = new Gallery(createSqliteVecIndex);
    const near = embeddingOf(1);
    gallery.admit(
      'anna',
      1000,
      Array.from({ length: 50 }, (_, index) => ({ faceId: `a${index}`, model: 'm', embedding: near })),
    );
    gallery.admit('bert', 1000, [galleryFace('b1', 2)]);
    expect(gallery.search('m', near, 2, 0).map(({ customerId }) => customerId)).toEqual(['anna', 'bert']);
  });

  test('faces of different models never compare', () => {
    const gallery = new Gallery(createSqliteVecIndex);
    gallery.admit('anna', 1000, [galleryFace('a1', 1, 'one')]);
    expect(gallery.search('other', embeddingOf(1), 5, 0)).toEqual([]);
    expect(gallery.search('one', embeddingOf(1), 5, 0)).toHaveLength(1);
  });

  test('whose consent ends leaves at that very moment, and the others stay', () => {
    const gallery = new Gallery(createSqliteVecIndex);
    gallery.admit('anna', 1000, [galleryFace('a1', 1)]);
    gallery.admit('bert', 2000, [galleryFace('b1', 2)]);
    expect(gallery.search('m', embeddingOf(1), 5, 999)).toHaveLength(2);
    expect(gallery.search('m', embeddingOf(1), 5, 1000).map(({ customerId }) => customerId)).toEqual(['bert']);
    expect(gallery.size).toBe(1);
    expect(gallery.search('m', embeddingOf(1), 5, 2000)).toEqual([]);
    expect(gallery.size).toBe(0);
  });

  test('whose consent ran out by a clock that was ahead is told once it is put right; who was removed is not', () => {
    const gallery = new Gallery(createSqliteVecIndex);
    gallery.admit('anna', 1000, [galleryFace('a1', 1)]);
    gallery.admit('bert', 2000, [galleryFace('b1', 2)]);
    gallery.admit('cleo', 3000, [galleryFace('c1', 3)]);
    gallery.search('m', embeddingOf(1), 5, 9000);
    gallery.remove('cleo');
    expect(gallery.takeReturning(9000)).toEqual([]);
    expect(gallery.takeReturning(1500)).toEqual(['bert']);
    expect(gallery.takeReturning(1500)).toEqual([]);
    expect(gallery.takeReturning(999)).toEqual(['anna']);
    expect(gallery.size).toBe(0);
  });

  test('a removed customer is gone, one admitted again is back', () => {
    const gallery = new Gallery(createSqliteVecIndex);
    gallery.admit('anna', 1000, [galleryFace('a1', 1)]);
    gallery.remove('anna');
    expect(gallery.search('m', embeddingOf(1), 5, 0)).toEqual([]);
    gallery.admit('anna', 3000, [galleryFace('a1', 1)]);
    expect(gallery.search('m', embeddingOf(1), 5, 2500)).toHaveLength(1);
  });

  test('a removed face is gone, the customer’s others stay', () => {
    const gallery = new Gallery(createSqliteVecIndex);
    gallery.admit('anna', 1000, [galleryFace('a1', 1), galleryFace('a2', 2)]);
    gallery.removeFace('bert', 'a1');
    expect(gallery.size).toBe(2);
    gallery.removeFace('anna', 'a1');
    gallery.removeFace('anna', 'a1');
    expect(gallery.search('m', embeddingOf(1), 5, 0).map(({ faceId }) => faceId)).toEqual(['a2']);
    gallery.remove('anna');
    expect(gallery.size).toBe(0);
  });

  test('one customer is compared by his nearest own face of the model, until his consent ends', () => {
    const gallery = new Gallery(createSqliteVecIndex);
    gallery.admit('anna', 1000, [galleryFace('a1', 1), galleryFace('a2', 2), galleryFace('a3', 3, 'other')]);
    gallery.admit('bert', 2000, [galleryFace('b1', 3)]);
    expect(gallery.similarity('anna', 'm', embeddingOf(1), 0)).toBeCloseTo(1, 5);
    expect(gallery.similarity('anna', 'm', embeddingOf(2), 0)).toBeCloseTo(1, 5);
    expect(gallery.similarity('anna', 'm', embeddingOf(3), 999)).toBeLessThan(0.9);
    expect(gallery.similarity('bert', 'other', embeddingOf(3), 0)).toBeUndefined();
    expect(gallery.similarity('nobody', 'm', embeddingOf(1), 0)).toBeUndefined();
    expect(gallery.similarity('anna', 'm', embeddingOf(1), 1000)).toBeUndefined();
  });
});
