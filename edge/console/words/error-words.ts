import { ERROR_CODES } from '../../../shared/errors/codes.ts';

const codes: Readonly<Record<string, { readonly title: string; readonly next: string }>> = ERROR_CODES;

/** What an error code means and what to do next; a code that this page does not know stands for itself. */
export function errorWords(code: string): { readonly title: string; readonly next: string } {
  return codes[code] ?? { title: code, next: 'See the log of the box.' };
}
