import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { expect, test, vi } from 'vitest';
import { type OpenStream, OpenStreams } from '../../../../../edge/api/streams/open-streams.ts';
import { SecureGateError } from '../../../../../shared/errors/securegate-error.ts';

class Counted extends PassThrough implements OpenStream {
  beats = 0;

  beat(): void {
    this.beats += 1;
  }
}

const overloaded = expect.objectContaining({ code: 'overloaded' });
const readerCalled = (id: string): FastifyRequest => ({ principal: { id } }) as FastifyRequest;
const [first, second, third] = [readerCalled('key_first'), readerCalled('key_second'), readerCalled('key_third')];

test('no more streams than allowed are open, and one that closes makes room', async () => {
  const streams = new OpenStreams({ most: 2, mostEach: 2 }, async () => undefined);
  const open = streams.add(first, () => new Counted());
  streams.add(second, () => new Counted());
  let made = false;
  const add = (): Counted =>
    streams.add(third, () => {
      made = true;
      return new Counted();
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
  streams.add(first, () => new Counted());
  expect(() => streams.add(first, () => new Counted())).toThrowError(overloaded);
  expect(streams.add(second, () => new Counted()).destroyed).toBe(false);
  streams.closeAll();
});

test('whoever has lost his right is cut off, and nobody else', async () => {
  const lost = new Set<FastifyRequest>();
  const streams = new OpenStreams({ most: 8, mostEach: 8 }, async (request) => {
    if (lost.has(request)) throw new SecureGateError('forbidden', 'No longer');
    return undefined;
  });
  const [his, hers] = [streams.add(first, () => new Counted()), streams.add(second, () => new Counted())];
  lost.add(first);
  await streams.checkAll();
  expect([his.destroyed, hers.destroyed]).toEqual([true, false]);
  streams.closeAll();
});

test('a stream beats for as long as its reader may read it', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    let allowed = true;
    const streams = new OpenStreams({ most: 2, mostEach: 2 }, async () => {
      if (!allowed) throw new SecureGateError('forbidden', 'No longer');
      return undefined;
    });
    const stream = streams.add(first, () => new Counted());
    const closed = once(stream, 'close');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(stream.beats).toBe(2);
    allowed = false;
    await vi.advanceTimersByTimeAsync(15_000);
    await closed;
    expect([stream.beats, streams.size, vi.getTimerCount()]).toEqual([2, 0, 0]);
  } finally {
    vi.useRealTimers();
  }
});
