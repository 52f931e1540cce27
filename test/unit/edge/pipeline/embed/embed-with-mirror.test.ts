import { expect, test } from 'vitest';
import type { RgbImage } from '../../../../../edge/inference/image.ts';
import { embedWithMirror } from '../../../../../edge/pipeline/embed/embed-with-mirror.ts';

test('a face and its mirror image count alike, and nothing of the mirror image stays', async () => {
  const seen: RgbImage[] = [];
  const looked: number[][] = [];
  // Two rows of three pixels; the embedding points where the left pixel's red and the right one's do.
  const face = { width: 3, height: 2, data: Uint8Array.from([30, 1, 2, 50, 4, 5, 40, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]) };
  const result = await embedWithMirror(face, async (image) => {
    seen.push(image);
    looked.push([...image.data]);
    return Float32Array.of((image.data[0] ?? 0) / 50, (image.data[6] ?? 0) / 50);
  });
  expect(looked).toEqual([[...face.data], [40, 7, 8, 50, 4, 5, 30, 1, 2, 15, 16, 17, 12, 13, 14, 9, 10, 11]]);
  expect(result[0]).toBeCloseTo(Math.SQRT1_2, 6);
  expect(result[1]).toBeCloseTo(Math.SQRT1_2, 6);
  expect(seen[1]?.data.every((value) => value === 0)).toBe(true);
  expect(seen[0]?.data[0]).toBe(30);
});

test('where one of the two fails nothing stays of the other, whichever is over first', async () => {
  const face = { width: 1, height: 1, data: Uint8Array.of(1, 2, 3) };
  for (const failing of ['face', 'mirror image']) {
    const seen: RgbImage[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const embedding = Float32Array.of(1);
    const result = embedWithMirror(face, async (image) => {
      seen.push(image);
      if ((image === face) === (failing === 'face')) throw new Error(`no ${failing}`);
      await promise;
      return embedding;
    });
    const refused = expect(result).rejects.toThrow(`no ${failing}`);
    await new Promise(setImmediate);
    expect(seen[1]?.data[0], 'it may still wait for the embedder').toBe(1);
    resolve();
    await refused;
    expect([[...(seen[1]?.data ?? [])], [...embedding], [...face.data]]).toEqual([[0, 0, 0], [0], [1, 2, 3]]);
  }
});
