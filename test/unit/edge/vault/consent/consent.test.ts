import { describe, expect, test } from 'vitest';
import { type Consent, consentSchema, requireConsent } from '../../../../../edge/vault/consent/consent.ts';

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

  test.each<[string, Consent | undefined, number]>([
    ['consent_missing', undefined, from],
    ['consent_missing', consent, from - 1],
    ['consent_expired', consent, to],
    ['consent_expired', consent, to + 1],
    ['consent_expired', { ...consent, expiresAt: '2025-01-01T00:00:00.000Z' }, from],
    ['consent_missing', { ...consent, expiresAt: '2025-01-01T00:00:00.000Z' }, Date.parse('2025-01-01T00:00:00.000Z') - 1],
  ])('refuses with %s', (code, given, now) => {
    expect(() => requireConsent(given, now)).toThrow(expect.objectContaining({ code }));
  });
});

test.each<[string, unknown]>([
  ['no purpose', { ...consent, purpose: '' }],
  ['a local time', { ...consent, givenAt: '2026-01-01T00:00:00' }],
  ['something besides', { ...consent, note: 'x' }],
])('not a consent: %s', (_, value) => {
  expect(consentSchema.safeParse(value).success).toBe(false);
});
