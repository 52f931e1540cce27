import { once } from 'node:events';
import { expect, test } from 'vitest';
import { LiveStream } from '../../../../../edge/api/streams/live-stream.ts';

test('a reader who is behind misses pictures, and the source learns when he is gone', async () => {
  let send: (message: Buffer) => void = () => undefined;
  let subscribed = 0;
  const stream = new LiveStream((give) => {
    send = give;
    subscribed += 1;
    return () => {
      subscribed -= 1;
    };
  });
  await expect.poll(() => subscribed).toBe(1);
  for (const text of ['one', 'two', 'three']) send(Buffer.from(text));
  expect(stream.wanted).toBe(false);
  expect(String(stream.read())).toBe('one');
  await expect.poll(() => stream.wanted).toBe(true);
  send(Buffer.from('four'));
  expect(String(stream.read())).toBe('four');
  const closed = once(stream, 'close');
  stream.destroy();
  await closed;
  expect([subscribed, stream.wanted]).toEqual([0, false]);
});
