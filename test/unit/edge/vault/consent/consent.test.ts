import { describe, expect, test } from 'vitest';
import { type Consent, consentSchema, consentStateOf, requireConsent, requireHolding } from '../../../../../edge/vault/consent/consent.ts';

const consent: Consent = {
  noticeVersion: '1',
  purpose: 'entry',
  givenAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-02-01T00:00:00.000Z',
};
const from = Date.parse(consent.givenAt);
const to = Date.parse(consent.expiresAt);

describe('requireConsent', () => {
  test.each([from, from + 1, to - 1])('lets through at %d', (now) => {
    expect(() => requireConsent(consent, now)).not.toThrow();
  });

  test.each<[string, number]>([
    ['consent_missing', from - 1],
    ['consent_expired', to],
    ['consent_expired', to + 1],
  ])('refuses with %s at %d', (code, now) => {
    expect(() => requireConsent(consent, now)).toThrow(expect.objectContaining({ code }));
  });
});

describe('the newest consent of a customer', () => {
  const withdrawn = { sequence: 2, consent, withdrawnAt: '2026-01-10T00:00:00.000Z' };

  test('is valid until it ends or is taken back', () => {
    expect(consentStateOf({ sequence: 1, consent }, to - 1)).toBe('valid');
    expect(consentStateOf({ sequence: 1, consent }, to)).toBe('expired');
    expect(consentStateOf(withdrawn, to - 1)).toBe('withdrawn');
    expect(consentStateOf(withdrawn, to)).toBe('withdrawn');
  });

  test('lets a face through only while it holds', () => {
    expect(requireHolding({ sequence: 1, consent }, from)).toEqual(consent);
    for (const record of [undefined, withdrawn]) {
      expect(() => requireHolding(record, from)).toThrow(expect.objectContaining({ code: 'consent_missing' }));
    }
    expect(() => requireHolding({ sequence: 1, consent }, to)).toThrow(expect.objectContaining({ code: 'consent_expired' }));
  });
});

test.each<[string, unknown]>([
  ['ends before it begins', { ...consent, expiresAt: '2025-01-01T00:00:00.000Z' }],
  ['no purpose', { ...consent, purpose: '' }],
  ['a local time', { ...consent, givenAt: '2026-01-01T00:00:00' }],
  ['something besides', { ...consent, note: 'x' }],
])('not a consent: %s', (_, value) => {
  expect(consentSchema.safeParse(value).success).toBe(false);
});
