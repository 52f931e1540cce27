import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** What a customer agreed to, and until when. */
export const consentSchema = z.strictObject({
  /** Version of the notice that the customer was shown. */
  noticeVersion: z.string().min(1).max(64),
  purpose: z.string().min(1).max(200),
  /** ISO 8601, UTC. The consent holds from givenAt on and no longer from expiresAt on: it never holds where that comes first. */
  givenAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});
export type Consent = z.infer<typeof consentSchema>;

/**
 * Lets a face through only under a consent that holds now.
 * @param now milliseconds since the Unix epoch
 * @throws {SecureGateError} `consent_missing` (none, or it has not begun), `consent_expired`
 */
export function requireConsent(consent: Consent | undefined, now: number): void {
  if (!consent) throw new SecureGateError('consent_missing', 'This customer has given no consent');
  if (now < Date.parse(consent.givenAt)) {
    throw new SecureGateError('consent_missing', 'The consent has not begun', { details: { givenAt: consent.givenAt } });
  }
  if (now >= Date.parse(consent.expiresAt)) {
    throw new SecureGateError('consent_expired', 'The consent has expired', { details: { expiresAt: consent.expiresAt } });
  }
}
