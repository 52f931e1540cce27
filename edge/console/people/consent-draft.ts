import type { Consent } from '../api/types.ts';

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

/** A day as a date field holds it, in the operator's time zone. */
export function dayOf(date: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export function newConsentDraft(): ConsentDraft {
  const until = new Date();
  until.setDate(until.getDate() + DEFAULT_DAYS);
  return { ...last, until: dayOf(until), agreedAt: null };
}

/**
 * The consent as it is recorded; it holds to the end of its last day.
 * @param agreedAt the same at every try, so that a repeated request is the same request
 */
export function toConsent({ noticeVersion, purpose, until }: ConsentDraft, agreedAt: string): Consent {
  last = { noticeVersion: noticeVersion.trim(), purpose: purpose.trim() };
  const [year = 0, month = 1, day = 1] = until.split('-').map(Number);
  return { ...last, givenAt: agreedAt, expiresAt: new Date(year, month - 1, day + 1).toISOString() };
}
