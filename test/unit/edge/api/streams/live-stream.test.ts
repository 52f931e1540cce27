import { once } from 'node:events';
import { expect, test } from 'vitest';
import { LiveStream } from '../../../../../edge/api/streams/live-stream.ts';

interface Opened {
  readonly stream: LiveStream;
  readonly offer: (camera: string, ...parts: string[]) => void;
  readonly subscribed: () => number;
  /** What the reader takes now: nothing where nothing waits. */
  readonly take: () => Promise<string>;
}

async function open(): Promise<Opened> {
  let offer: (camera: string, message: readonly Buffer[]) => void = () => undefined;
  let subscribed = 0;
  const stream = new LiveStream((give) => {
    offer = give;
    subscribed += 1;
    return () => {
      subscribed -= 1;
    };
  });
  await expect.poll(() => subscribed).toBe(1);
  const take = async (): Promise<string> => {
    const taken = (stream.read() as Buffer | null)?.toString() ?? '';
    // The stream asks for more on its next turn.
    await new Promise((resolve) => setImmediate(resolve));
    return taken;
  };
  return {
    stream,
    offer: (camera, ...parts) =>
      offer(
        camera,
        parts.map((part) => Buffer.from(part)),
      ),
    subscribed: () => subscribed,
    take,
  };
}

test('a reader who is behind gets the newest picture of each camera, and cameras take turns', async () => {
  const { offer, take } = await open();
  offer('a', 'a1 ');
  for (const round of [2, 3, 4]) for (const camera of ['b', 'a', 'c']) offer(camera, `${camera}${round} `);
  let read = await take();
  offer('b', 'b5 ');
  for (let more = await take(); more !== ''; more = await take()) read += more;
  expect(read).toBe('a1 b4 a4 c4 b5 ');
});

test('the parts of a message stay together', async () => {
  const { stream, offer } = await open();
  let read = '';
  stream.on('data', (chunk: Buffer) => {
    read += chunk.toString();
  });
  for (const camera of ['a', 'b']) offer(camera, `${camera}-head `, `${camera}-picture `);
  await expect.poll(() => read).toBe('a-head a-picture b-head b-picture ');
});

test('a reader who takes nothing from one beat to the next is cut, one who is slow is not', async () => {
  const { stream, offer, take, subscribed } = await open();
  for (let round = 0; round < 5; round += 1) {
    offer('a', 'picture');
    await take();
    offer('a', 'picture');
    stream.beat();
  }
  expect(stream.destroyed).toBe(false);
  const closed = once(stream, 'close');
  stream.beat();
  await closed;
  expect([stream.destroyed, subscribed()]).toEqual([true, 0]);
  offer('a', 'comes too late');
});

test('where no camera shows anything, beats come through and nobody is cut', async () => {
  const { stream, take } = await open();
  for (let round = 0; round < 5; round += 1) {
    stream.beat();
    expect(await take()).toBe('\0\0\0\0');
  }
  expect(stream.destroyed).toBe(false);
});
