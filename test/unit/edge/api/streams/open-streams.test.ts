import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { expect, test } from 'vitest';
import { OpenStreams } from '../../../../../edge/api/streams/open-streams.ts';

const overloaded = expect.objectContaining({ code: 'overloaded' });
const readerCalled = (id: string): FastifyRequest => ({ principal: { id } }) as FastifyRequest;
const [first, second, third] = [readerCalled('key_first'), readerCalled('key_second'), readerCalled('key_third')];

test('no more streams than allowed are open, and one that closes makes room', async () => {
  const streams = new OpenStreams({ most: 2, mostEach: 2 }, async () => undefined);
  const open = streams.add(first, () => new PassThrough());
  streams.add(second, () => new PassThrough());
  let made = false;
  const add = (): PassThrough =>
    streams.add(third, () => {
      made = true;
      return new PassThrough();
    });
  expect(add).toThrowError(overloaded);
  expect(made).toBe(false);
  const closed = once(open, 'close');
  open.destroy();
  await closed;
  expect(add().destroyed).toBe(false);
  streams.closeAll();
  await expect.poll(() => streams.size).toBe(0);
});

test('no reader takes the streams of all others', () => {
  const streams = new OpenStreams({ most: 8, mostEach: 1 }, async () => undefined);
  streams.add(first, () => new PassThrough());
  expect(() => streams.add(first, () => new PassThrough())).toThrowError(overloaded);
  expect(streams.add(second, () => new PassThrough()).destroyed).toBe(false);
  streams.closeAll();
});

test('whoever has lost his right is cut off, and nobody else', async () => {
  const lost = new Set<FastifyRequest>();
  const streams = new OpenStreams({ most: 8, mostEach: 8 }, async (request) => {
    if (lost.has(request)) throw new Error('no longer');
  });
  const [his, hers] = [streams.add(first, () => new PassThrough()), streams.add(second, () => new PassThrough())];
  lost.add(first);
  await streams.checkAll();
  expect([his.destroyed, hers.destroyed]).toEqual([true, false]);
  streams.closeAll();
});
