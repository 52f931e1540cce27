import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { keyUnwrapPad, keyWrapPad } from '../../../../../../cloud/kms/hsm/software/aes-key-wrap-pad.ts';
import { hasVectors, wycheproofTests } from '../../../../../helpers/test-vectors.ts';

const FILE = 'wycheproof_aes_kwp_test.json';
const hex = z.string().transform((text) => Buffer.from(text, 'hex'));

describe('AES-256 key wrap with padding (RFC 5649)', () => {
  test('opens what it wrapped, for every length, and gives the length that the RFC says', () => {
    const key = Buffer.alloc(32, 1);
    for (let length = 1; length <= 64; length += 1) {
      const plaintext = Buffer.alloc(length, length);
      const wrapped = keyWrapPad(key, plaintext);
      expect(wrapped).toHaveLength(Math.ceil(length / 8) * 8 + 8);
      expect(keyUnwrapPad(key, wrapped)).toEqual(plaintext);
      expect(keyUnwrapPad(Buffer.alloc(32, 2), wrapped)).toBeNull();
    }
  });

  test('inputs of impossible length open to nothing', () => {
    for (let length = 0; length < 40; length += 1) expect(keyUnwrapPad(Buffer.alloc(32), Buffer.alloc(length))).toBeNull();
  });

  test.skipIf(!hasVectors(FILE))('Wycheproof, 256-bit keys (skipped where the vectors are not there)', () => {
    const tests = wycheproofTests(FILE, {
      group: z.object({ keySize: z.number() }),
      test: z.object({ key: hex, msg: hex, ct: hex }),
    }).filter(({ group }) => group.keySize === 256);
    expect(tests.length).toBeGreaterThan(50);
    for (const { id, valid, test: vector } of tests) {
      expect(keyUnwrapPad(vector.key, vector.ct)?.toString('hex') ?? null, `test ${id}`).toBe(valid ? vector.msg.toString('hex') : null);
      if (valid) expect(keyWrapPad(vector.key, vector.msg).toString('hex'), `test ${id}`).toBe(vector.ct.toString('hex'));
    }
  });
});
