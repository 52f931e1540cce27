import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hkdfSha256 } from '../../../../shared/crypto/hkdf-sha256.ts';
import { hasVectors, wycheproofTests } from '../../../helpers/test-vectors.ts';

const FILE = 'wycheproof_hkdf_sha256_test.json';
const hex = z.string().transform((text) => Buffer.from(text, 'hex'));

describe('RFC 5869 (HKDF-SHA-256)', () => {
  test('appendix A.1', () => {
    const key = Buffer.alloc(22, 0x0b);
    const salt = Buffer.from('000102030405060708090a0b0c', 'hex');
    const info = Buffer.from('f0f1f2f3f4f5f6f7f8f9', 'hex');
    expect(hkdfSha256(key, salt, info, 42).toString('hex')).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
  });

  test('appendix A.2: longer than a block', () => {
    const run = (from: number): Buffer => Buffer.from(Array.from({ length: 80 }, (_, index) => from + index));
    expect(hkdfSha256(run(0x00), run(0x60), run(0xb0), 82).toString('hex')).toBe(
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3' +
        'db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    );
  });

  test('appendix A.3: no salt, no info', () => {
    expect(hkdfSha256(Buffer.alloc(22, 0x0b), Buffer.alloc(0), '', 42).toString('hex')).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
  });

  test.skipIf(!hasVectors(FILE))('Wycheproof (skipped where the vectors are not there)', () => {
    const tests = wycheproofTests(FILE, {
      group: z.unknown(),
      test: z.object({ ikm: hex, salt: hex, info: hex, size: z.number(), okm: hex }),
    });
    expect(tests.length).toBeGreaterThan(80);
    for (const { id, valid, test: vector } of tests) {
      const derive = (): Buffer => hkdfSha256(vector.ikm, vector.salt, vector.info, vector.size);
      if (valid) expect(derive().equals(vector.okm), `test ${id}`).toBe(true);
      else expect(derive, `test ${id}`).toThrow();
    }
  });
});
