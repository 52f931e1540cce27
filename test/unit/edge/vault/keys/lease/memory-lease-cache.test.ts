import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { MemoryLeaseCache } from '../../../../../../edge/vault/keys/lease/memory-lease-cache.ts';

test('gives each asker a copy of his own, of which he wipes the key', async () => {
  const cache = new MemoryLeaseCache();
  const tek = randomBytes(32);
  const kept = Buffer.from(tek);
  await cache.save(1, { token: 'a.b.c', tek });
  tek.fill(0);
  (await cache.load(1))?.tek.fill(0);
  expect(await cache.load(1)).toEqual({ token: 'a.b.c', tek: kept });
  expect((await cache.load(1))?.tek.buffer.byteLength, 'unpooled').toBe(32);
});

test('keeps one lease for each epoch, and forgets them', async () => {
  const cache = new MemoryLeaseCache();
  for (const epoch of [1, 2, 3, 3]) await cache.save(epoch, { token: `of ${epoch}`, tek: randomBytes(32) });
  await cache.forget(3);
  expect([await cache.load(1), await cache.load(2), (await cache.load(3))?.token]).toEqual([undefined, undefined, 'of 3']);
  await cache.forget();
  expect(await cache.load(3)).toBeUndefined();
});

test('nothing of it outlives it', async () => {
  await new MemoryLeaseCache().save(1, { token: 'a.b.c', tek: randomBytes(32) });
  expect(await new MemoryLeaseCache().load(1)).toBeUndefined();
});
