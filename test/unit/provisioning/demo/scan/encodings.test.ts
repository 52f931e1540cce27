import { describe, expect, test } from 'vitest';
import { EMBEDDING_FORMS, textForms } from '../../../../../provisioning/demo/scan/encodings.ts';

const encode = (form: string, ...values: number[]): string => EMBEDDING_FORMS[form]?.(Float32Array.from(values)).toString('hex') ?? '';

describe('EMBEDDING_FORMS', () => {
  test('IEEE 754 binary32, little-endian', () => {
    expect(encode('float32', 1, -0.5)).toBe('0000803f' + '000000bf');
  });

  test.each([
    [1, '003c'],
    [-2, '00c0'],
    [0.5, '0038'],
    [1 / 3, '5535'],
    [0.0999755859375, '662e'],
    // Rounds up into the next power of two.
    [0.49999, '0038'],
    // Subnormal numbers.
    [2 ** -24, '0100'],
    [2 ** -15, '0002'],
    [0, '0000'],
  ])('IEEE 754 binary16 of %d', (value, hex) => {
    expect(encode('float16', value)).toBe(hex);
  });

  test('bytes of -1..1 and of the range of the values', () => {
    expect(encode('int8 of -1..1', 1, -1, 0.1, -0.1)).toBe('7f810df3');
    expect(encode('int8 of its range', 0.2, -0.15, 0.05)).toBe('7fa120');
  });
});

test('textForms: a piece of a text is found wherever the data lies in it', () => {
  const data = Buffer.from(Array.from({ length: 60 }, (_, index) => (index * 37) & 0xff));
  for (let before = 0; before < 6; before += 1) {
    const whole = Buffer.concat([Buffer.alloc(before, 0xee), data, Buffer.from('behind')]);
    for (const form of ['base64', 'base64url', 'hex'] as const) {
      const pieces = textForms(data).filter((entry) => entry.form === form);
      expect(pieces.some(({ text }) => whole.toString(form).includes(text))).toBe(true);
    }
  }
});
