import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LiveMessage } from '../../../../../edge/console/live/live-message.ts';
import { readLiveMessages } from '../../../../../edge/console/live/read-live-messages.ts';

/** A message as the box sends it. */
function message(name: string, jpeg: Uint8Array): Uint8Array {
  const track = { track: 1, box: { x: 1, y: 2, width: 3, height: 4 }, outcome: 'person', customerId: 'cus_x', name };
  const told = { tenant: 'north', camera: 'door', mediaMs: 40, width: 640, height: 360, tracks: [track], jpegBytes: jpeg.length };
  const header = Buffer.from(JSON.stringify(told));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(header.length);
  return Buffer.concat([length, header, jpeg]);
}

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

async function collect(messages: AsyncIterable<LiveMessage>): Promise<LiveMessage[]> {
  const all: LiveMessage[] = [];
  for await (const each of messages) all.push(each);
  return all;
}

describe('a live stream', () => {
  test('gives the same messages however the network cuts it', async () => {
    const arbitraryMessages = fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 300 })), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(arbitraryMessages, fc.array(fc.nat({ max: 200 })), async (messages, sizes) => {
        const bytes = Buffer.concat(messages.map(([name, jpeg]) => message(name, jpeg)));
        const read = await collect(readLiveMessages(cut(bytes, sizes)));
        expect(read.map(({ header, jpeg }) => [header.tracks[0]?.name, [...jpeg]])).toEqual(
          messages.map(([name, jpeg]) => [name, [...jpeg]]),
        );
      }),
    );
  });

  test('leaves out what only shows that it lives', async () => {
    const beat = Buffer.alloc(4);
    const bytes = Buffer.concat([beat, message('Ada', new Uint8Array([1])), beat, beat, message('Bea', new Uint8Array([2]))]);
    const read = await collect(readLiveMessages(cut(bytes, [3, 9])));
    expect(read.map(({ header }) => header.tracks[0]?.name)).toEqual(['Ada', 'Bea']);
  });

  test('that ends in the middle of a message gives what was whole', async () => {
    const whole = message('Ada', new Uint8Array([1, 2, 3]));
    const bytes = Buffer.concat([whole, whole.subarray(0, whole.length - 1)]);
    expect(await collect(readLiveMessages(cut(bytes, [])))).toHaveLength(1);
  });

  test('that is none is refused rather than collected', async () => {
    const html = Buffer.from('<!doctype html>'.repeat(10));
    await expect(collect(readLiveMessages(cut(html, [7])))).rejects.toThrow(RangeError);
  });
});
