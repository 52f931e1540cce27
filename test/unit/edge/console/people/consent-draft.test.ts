import { expect, test } from 'vitest';
import { newConsentDraft, toConsent } from '../../../../../edge/console/people/consent-draft.ts';

const draft = { noticeVersion: ' 2026-1 ', purpose: 'entry', until: '2026-12-31', agreedAt: null };

test('a consent holds to the end of its last day at the venue', () => {
  const { givenAt, expiresAt, noticeVersion } = toConsent(draft, '2026-11-01T10:00:00.000Z');
  expect(new Date(expiresAt)).toEqual(new Date(2026, 11, 31, 23, 59, 59, 999));
  expect(givenAt).toBe('2026-11-01T10:00:00.000Z');
  expect(noticeVersion).toBe('2026-1');
});

test('the next one starts with the same notice and purpose, but not with the agreement', () => {
  toConsent(draft, '2026-11-01T10:00:00.000Z');
  expect(newConsentDraft()).toMatchObject({ noticeVersion: '2026-1', purpose: 'entry', agreedAt: null });
});
