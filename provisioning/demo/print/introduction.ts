import type { EnrolledGuest } from '../enrolment/enrol-guests.ts';
import { TENANTS } from '../footage/script.ts';
import type { Palette } from './palette.ts';

/** Whom each venue knows, before the show begins. */
export function introduction(enrolled: readonly EnrolledGuest[], palette: Palette): string[] {
  const known = TENANTS.map((tenant) => {
    const names = enrolled.filter((guest) => guest.tenant === tenant).map(({ name }) => name);
    return `${palette.bold(tenant)} knows ${names.join(', ')}.`;
  });
  return [...known, 'Everybody else is unknown there, also the guests of the other venue. Ctrl-C ends the demo.\n'];
}
