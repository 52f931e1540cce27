import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { idSchema, newId, parseSlug } from '../../../../shared/ids/ids.ts';

describe('parseSlug', () => {
  test.each(['a1', 'hall-9', 'x'.repeat(63), '0a'])('takes %s', (value) => {
    expect(parseSlug('tenant', value)).toBe(value);
  });

  test.each(['', 'a', '../x', 'a/b', 'a.b', 'A1', '-ab', 'ab-', 'a b', 'a\0', 'ab\n', 'ä1', 'x'.repeat(64), 'x'.repeat(300)])(
    'refuses %j',
    (value) => {
      const error = thrownBy(() => parseSlug('tenant', value));
      expect(error).toMatchObject({ code: 'invalid_id', status: 400, details: { kind: 'tenant' } });
    },
  );

  test('never echoes more than 80 characters of what it refused', () => {
    expect(String(thrownBy(() => parseSlug('camera', '/'.repeat(5000))).details.value)).toHaveLength(80);
  });

  test('whatever it takes is one plain folder name', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 70 }), (value) => {
        try {
          return /^[a-z0-9-]{2,63}$/.test(parseSlug('org', value));
        } catch (error) {
          return error instanceof SecureGateError;
        }
      }),
    );
  });
});

describe('newId', () => {
  test('is RFC 4648 base32 of 16 bytes behind its prefix', () => {
    // RFC 4648 section 10 alphabet; 16 bytes of 0x00 and of 0xff at the ends of the range.
    expect(newId('customer', () => Buffer.alloc(16))).toBe(`cus_${'a'.repeat(26)}`);
    expect(newId('face', () => Buffer.alloc(16, 0xff))).toBe(`fac_${'7'.repeat(25)}4`);
    expect(newId('box', () => Buffer.from('foobarfoobarfoob'))).toBe('box_mzxw6ytbojtg633cmfzgm33pmi');
  });

  test('fits its own schema and no other', () => {
    expect(idSchema('customer').safeParse(newId('customer')).success).toBe(true);
    expect(idSchema('customer').safeParse(newId('face')).success).toBe(false);
    expect(idSchema('face').safeParse(`${newId('face')}\n`).success).toBe(false);
  });

  test('never repeats', () => {
    expect(new Set(Array.from({ length: 1000 }, () => newId('sighting'))).size).toBe(1000);
  });
});

function thrownBy(call: () => unknown): SecureGateError {
  try {
    call();
  } catch (error) {
    if (error instanceof SecureGateError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
