import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { OpenStreams } from '../../../../../edge/api/streams/open-streams.ts';

test('no more streams than allowed are open, and one that closes makes room', async () => {
  const streams = new OpenStreams(2);
  const [first] = [streams.add(() => new PassThrough()), streams.add(() => new PassThrough())];
  let made = false;
  const third = (): PassThrough => {
    made = true;
    return new PassThrough();
  };
  expect(() => streams.add(third)).toThrowError(expect.objectContaining({ code: 'overloaded' }));
  expect(made).toBe(false);
  const closed = once(first, 'close');
  first.destroy();
  await closed;
  expect(streams.add(third).destroyed).toBe(false);
  streams.closeAll();
  await expect.poll(() => streams.size).toBe(0);
});
