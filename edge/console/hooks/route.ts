export const PAGES = ['live', 'sightings', 'people', 'search', 'cameras', 'venues', 'system'] as const;
export type PageName = (typeof PAGES)[number];

export interface Route {
  readonly page: PageName;
  /** Opaque ids only: an address stays in the browser's history. */
  readonly params: Readonly<Record<string, string>>;
}

/** `#/people?tenant=alpha` as a route; anything else leads to the live page. */
export function parseRoute(hash: string): Route {
  const [name = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const page = PAGES.find((known) => known === name) ?? 'live';
  return { page, params: Object.fromEntries(new URLSearchParams(search)) };
}

/** Address of a page. Parameters without a value are left out. */
export function hrefOf(page: PageName, params: Readonly<Record<string, string | undefined>> = {}): string {
  const set = Object.entries(params).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return `#/${page}${set.length > 0 ? `?${new URLSearchParams(set)}` : ''}`;
}
