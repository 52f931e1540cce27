import { ERROR_CODES } from '../../../shared/errors/codes.ts';
import { pageWords } from './page-words.ts';

const codes: Readonly<Record<string, { readonly title: string; readonly next: string }>> = ERROR_CODES;

/** What an error code means and what to do next; a code that this page does not know stands for itself. */
export function errorWords(code: string): { readonly title: string; readonly next: string } {
  const words = codes[code];
  if (words === undefined) return { title: code, next: 'See the log of the box.' };
  return { title: pageWords(words.title), next: pageWords(words.next) };
}
