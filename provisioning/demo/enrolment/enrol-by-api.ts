import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Answer, BoxApi } from '../daemon/box-api.ts';
import type { DescribedGuest } from './describe-guests.ts';
import type { EnrolledGuest } from './enrol-guests.ts';
import { guestConsent } from './guest-consent.ts';

/** Enrols guests at a running box as an operator does. @throws {SecureGateError} `demo_failed` with what the box answered instead */
export async function enrolByApi(box: BoxApi, guests: readonly DescribedGuest[], now: number): Promise<EnrolledGuest[]> {
  const enrolled: EnrolledGuest[] = [];
  for (const guest of guests) {
    const customers = `/v1/tenants/${guest.tenant}/customers`;
    const { id: customerId } = made(await box.post(customers, { name: guest.name, consent: guestConsent(now) }));
    for (const picture of guest.pictures) made(await box.postPicture(`${customers}/${customerId}/faces`, picture));
    enrolled.push({ ...guest, customerId });
  }
  return enrolled;
}

function made({ status, body }: Answer): Answer['body'] {
  if (status === 201) return body;
  throw new SecureGateError('demo_failed', `The box enrolled a guest not, but answered ${body.code}`);
}
