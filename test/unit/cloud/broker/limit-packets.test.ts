import { duplexPair } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limitPackets } from '../../../../cloud/broker/limit-packets.ts';
import { packet } from '../../../helpers/raw-mqtt.ts';

/** Sends packets in pieces of any size to who takes so many bytes each. @returns the bytes that got through, none where it was cut off */
async function send(bodies: readonly number[], pieces: readonly number[], most: number): Promise<number> {
  const [outside, inside] = duplexPair();
  let read = 0;
  inside.on('readable', () => {
    for (let chunk: Buffer | null = inside.read(); chunk !== null; chunk = inside.read()) read += chunk.length;
  });
  limitPackets(inside, () => most);
  const ended = new Promise<boolean>((resolve) => inside.once('error', () => resolve(false)).once('end', () => resolve(true)));
  let left = Buffer.concat(bodies.map((length) => packet(0x30, Buffer.alloc(length))));
  for (let at = 0; left.length > 0; at += 1) {
    const piece = left.subarray(0, pieces[at % pieces.length]);
    left = left.subarray(piece.length);
    outside.write(piece);
  }
  outside.end();
  return (await ended) ? read : 0;
}

test('packets pass up to their size and not beyond it, however they are cut into pieces', async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), async (bodies, pieces) => {
      const largest = Math.max(...bodies);
      const bytes = bodies.reduce((sum, length) => sum + packet(0x30, Buffer.alloc(length)).length, 0);
      expect(await send(bodies, pieces, largest)).toBe(bytes);
      if (largest > 0) expect(await send(bodies, pieces, largest - 1)).toBe(0);
    }),
    { numRuns: 100 },
  );
});

test('a length that never ends is no length', async () => {
  const [outside, inside] = duplexPair();
  inside.on('readable', () => inside.read());
  limitPackets(inside, () => Number.MAX_SAFE_INTEGER);
  const error = new Promise<Error>((resolve) => inside.once('error', resolve));
  outside.write(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]));
  expect((await error).message).toBe('packet too large');
});
