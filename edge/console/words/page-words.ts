const WORDS: Readonly<Record<string, string>> = { tenant: 'venue', tenants: 'venues', customer: 'person', customers: 'people' };

/** A text of the box in the words of this page: a tenant is a venue here, and a customer a person. */
export function pageWords(text: string): string {
  return text.replaceAll(/\b[Tt]enants?\b|\b[Cc]ustomers?\b/g, (word) => {
    const other = WORDS[word.toLowerCase()] ?? word;
    return word === word.toLowerCase() ? other : `${other.slice(0, 1).toUpperCase()}${other.slice(1)}`;
  });
}
