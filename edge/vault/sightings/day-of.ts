/** Smaller than every other day, and greater. */
export const FIRST_DAY = '0000-01-01';
export const LAST_DAY = '9999-12-31';

/** @param time ISO 8601 in UTC @returns its day, `2026-11-21` */
export function dayOf(time: string): string {
  return time.slice(0, LAST_DAY.length);
}
