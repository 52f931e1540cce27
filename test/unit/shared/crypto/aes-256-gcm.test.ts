import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { gcmDecrypt, gcmEncrypt } from '../../../../shared/crypto/aes-256-gcm.ts';
import { hasVectors, wycheproofTests } from '../../../helpers/test-vectors.ts';

const FILE = 'wycheproof_aes_gcm_test.json';
const hex = z.string().transform((text) => Buffer.from(text, 'hex'));
const bytes = (text: string): Buffer => Buffer.from(text, 'hex');

describe('AES-256-GCM', () => {
  test('test case 16 of the GCM specification (McGrew, Viega)', () => {
    const key = bytes('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308');
    const nonce = bytes('cafebabefacedbaddecaf888');
    const aad = bytes('feedfacedeadbeeffeedfacedeadbeefabaddad2');
    const plaintext = bytes(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    );
    const sealed = gcmEncrypt(key, nonce, aad, plaintext);
    expect(sealed.toString('hex')).toBe(
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
        '76fc6ece0f4e1768cddf8853bb2d551b',
    );
    expect(gcmDecrypt(key, nonce, aad, sealed)).toEqual(plaintext);
  });

  test('less than a tag opens to nothing', () => {
    expect(gcmDecrypt(Buffer.alloc(32), Buffer.alloc(12), Buffer.alloc(0), Buffer.alloc(15))).toBeNull();
  });

  test.skipIf(!hasVectors(FILE))('Wycheproof, 256-bit keys, 96-bit nonces (skipped where the vectors are not there)', () => {
    const tests = wycheproofTests(FILE, {
      group: z.object({ keySize: z.number(), ivSize: z.number(), tagSize: z.number() }),
      test: z.object({ key: hex, iv: hex, aad: hex, msg: hex, ct: hex, tag: hex }),
    }).filter(({ group }) => group.keySize === 256 && group.ivSize === 96 && group.tagSize === 128);
    expect(tests.length).toBeGreaterThan(50);
    for (const { id, valid, test: vector } of tests) {
      const sealed = Buffer.concat([vector.ct, vector.tag]);
      const opened = gcmDecrypt(vector.key, vector.iv, vector.aad, sealed);
      expect(opened?.toString('hex') ?? null, `test ${id}`).toBe(valid ? vector.msg.toString('hex') : null);
      if (valid) expect(gcmEncrypt(vector.key, vector.iv, vector.aad, vector.msg).equals(sealed), `test ${id}`).toBe(true);
    }
  });
});
