/** Letters that Unicode does not take apart into a base letter and a mark, and what people type for them. */
const PLAIN: ReadonlyMap<string, string> = new Map([
  ['ø', 'o'],
  ['ł', 'l'],
  ['đ', 'd'],
  ['ħ', 'h'],
  ['æ', 'ae'],
  ['œ', 'oe'],
  ['ð', 'd'],
  ['þ', 'th'],
]);

/**
 * A name as it is compared: without case, accents, width and repeated spaces. Upper case first, since only that way `ß` and
 * `ss` (and `ı` and `i`) meet. Only the combining marks of U+0300..036F go: in other scripts marks are vowels.
 */
export function foldName(name: string): string {
  return name
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[øłđħæœðþ]/g, (letter) => PLAIN.get(letter) ?? letter)
    .replace(/\s+/g, ' ')
    .trim();
}
