import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageReader, type Received } from '../../../../../edge/vault/channel/message-reader.ts';
import { sendMessage } from '../../../../../edge/vault/channel/send-message.ts';
import { embeddingOf } from '../../../../helpers/vault-guests.ts';

async function sent(...messages: unknown[]): Promise<Buffer> {
  const channel = new PassThrough();
  const pieces: Buffer[] = [];
  // Copies: the sender overwrites its own.
  channel.on('data', (piece: Buffer) => pieces.push(Buffer.from(piece)));
  for (const message of messages) await new Promise((resolve) => sendMessage(channel, message, resolve));
  return Buffer.concat(pieces);
}

function received(pieces: readonly Buffer[]): Received[] {
  const all: Received[] = [];
  const reader = new MessageReader((message) => all.push(message));
  for (const piece of pieces) reader.take(piece);
  return all;
}

test('messages arrive as they were sent, wherever they are cut', async () => {
  const messages = [{ id: 1, embeddings: [embeddingOf(1)], picture: Buffer.from('jpeg'), nothing: undefined }, 'text', null];
  const bytes = await sent(...messages);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const bounds = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const pieces = bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
      expect(received(pieces).map(({ message }) => message)).toEqual(messages);
    }),
    { numRuns: 50 },
  );
});

test('wiping a message overwrites everything binary in it, wherever the engine has put it', async () => {
  // Texts of four lengths before it: at three of four places an array of floats cannot be looked at where it lies, and is copied.
  for (const text of ['', 'a', 'ab', 'abc']) {
    const [one] = received([await sent({ text, faces: [{ embedding: embeddingOf(1), picture: Buffer.from('jpeg') }] })]);
    expect(one?.message).toMatchObject({ faces: [{ embedding: embeddingOf(1) }] });
    one?.wipe();
    expect(one?.message).toMatchObject({ faces: [{ embedding: new Float32Array(512), picture: Buffer.alloc(4) }] });
  }
});

test('a sent message is overwritten', async () => {
  const channel = new PassThrough();
  const own: Buffer[] = [];
  channel.on('data', (piece: Buffer) => own.push(piece));
  await new Promise((resolve) => sendMessage(channel, { name: 'Wilhelmina' }, resolve));
  expect(Buffer.concat(own).every((byte) => byte === 0)).toBe(true);
});

test.each([
  ['an empty one', '00000000'],
  ['an endless one', 'ffffffff'],
  ['another format', '0000000474657874'],
])('what is no message is refused: %s', (_, hex) => {
  expect(() => received([Buffer.from(hex, 'hex')])).toThrow();
});
