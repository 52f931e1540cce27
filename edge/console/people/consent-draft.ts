import type { Consent } from '../api/types.ts';
import { dayAfter, endOf } from '../words/day.ts';

export interface ConsentDraft {
  readonly noticeVersion: string;
  readonly purpose: string;
  /** Last day that is covered, YYYY-MM-DD in the operator's time zone. */
  readonly until: string;
  /** When the operator said that the person agreed, ISO 8601; null before. */
  readonly agreedAt: string | null;
}

const DEFAULT_DAYS = 90;

/** Who enrols several people shows them the same notice: what was typed last is offered again until the page is closed. */
let last: Pick<ConsentDraft, 'noticeVersion' | 'purpose'> = { noticeVersion: '', purpose: '' };

export function newConsentDraft(): ConsentDraft {
  return { ...last, until: dayAfter(DEFAULT_DAYS), agreedAt: null };
}

/**
 * The consent as it is recorded; it holds to the end of its last day.
 * @param agreedAt the same at every try, so that a repeated request is the same request
 */
export function toConsent({ noticeVersion, purpose, until }: ConsentDraft, agreedAt: string): Consent {
  last = { noticeVersion: noticeVersion.trim(), purpose: purpose.trim() };
  return { ...last, givenAt: agreedAt, expiresAt: endOf(until) };
}
