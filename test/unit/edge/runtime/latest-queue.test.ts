import { expect, test } from 'vitest';
import { LatestQueue } from '../../../../edge/runtime/latest-queue.ts';

test('a full queue gives up its oldest item, never the newest', async () => {
  const dropped: number[] = [];
  const queue = new LatestQueue<number>(2, (item) => dropped.push(item));
  for (const item of [1, 2, 3, 4]) queue.push(item);
  expect(dropped).toEqual([1, 2]);
  expect([await queue.next(), await queue.next()]).toEqual([3, 4]);
});

test('a waiting consumer is woken by the next item and by the end', async () => {
  const dropped: number[] = [];
  const queue = new LatestQueue<number>(2, (item) => dropped.push(item));
  const first = queue.next();
  queue.push(1);
  expect(await first).toBe(1);
  const last = queue.next();
  queue.close();
  expect(await last).toBeUndefined();
  queue.push(2);
  expect(dropped).toEqual([2]);
  expect(await queue.next()).toBeUndefined();
});

test('what is in the queue when it closes is still handed out', async () => {
  const queue = new LatestQueue<number>(2, () => undefined);
  queue.push(1);
  queue.close();
  expect([await queue.next(), await queue.next()]).toEqual([1, undefined]);
});
