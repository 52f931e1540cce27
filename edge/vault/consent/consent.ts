import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** What a customer agreed to, and until when. */
export const consentSchema = z
  .strictObject({
    /** Version of the notice that the customer was shown. */
    noticeVersion: z.string().min(1).max(100),
    purpose: z.string().min(1).max(500),
    /** ISO 8601, UTC. The consent holds from givenAt on and no longer from expiresAt on. */
    givenAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .refine(({ givenAt, expiresAt }) => Date.parse(givenAt) < Date.parse(expiresAt), { path: ['expiresAt'], error: 'not after givenAt' });
export type Consent = z.infer<typeof consentSchema>;

/** `valid`: recognised. `expired`, `withdrawn`: kept, but never a candidate. */
export const CONSENT_STATES = ['valid', 'expired', 'withdrawn'] as const;
export type ConsentState = (typeof CONSENT_STATES)[number];

/**
 * A consent as it is stored. The order of a customer's consents is inside the envelope, where nobody
 * can change it: the highest number counts.
 */
export const consentRecordSchema = z.strictObject({
  sequence: z.number().int().min(1),
  consent: consentSchema,
  /** ISO 8601; only there when the customer has taken his consent back. Then all his consents say so, and none is left that would let him in. */
  withdrawnAt: z.iso.datetime().optional(),
});
export type ConsentRecord = z.infer<typeof consentRecordSchema>;

/** @param now milliseconds since the Unix epoch */
export function consentStateOf({ consent, withdrawnAt }: ConsentRecord, now: number): ConsentState {
  if (withdrawnAt !== undefined) return 'withdrawn';
  return now >= Date.parse(consent.expiresAt) ? 'expired' : 'valid';
}

/**
 * Lets a face through only under a consent that holds now.
 * @param now milliseconds since the Unix epoch
 * @throws {SecureGateError} `consent_missing` (it has not begun), `consent_expired`
 */
export function requireConsent(consent: Consent, now: number): void {
  if (now < Date.parse(consent.givenAt)) {
    throw new SecureGateError('consent_missing', 'The consent has not begun', { details: { givenAt: consent.givenAt } });
  }
  if (now >= Date.parse(consent.expiresAt)) {
    throw new SecureGateError('consent_expired', 'The consent has expired', { details: { expiresAt: consent.expiresAt } });
  }
}

/**
 * The newest consent of a customer, if a face may be stored or recognised under it now.
 * @throws {SecureGateError} `consent_missing` (none, withdrawn, not begun), `consent_expired`
 */
export function requireHolding(record: ConsentRecord | undefined, now: number): Consent {
  if (!record) throw new SecureGateError('consent_missing', 'This customer has given no consent');
  if (record.withdrawnAt !== undefined) {
    throw new SecureGateError('consent_missing', 'The consent was withdrawn', { details: { withdrawnAt: record.withdrawnAt } });
  }
  requireConsent(record.consent, now);
  return record.consent;
}
