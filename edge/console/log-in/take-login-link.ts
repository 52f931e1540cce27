/**
 * Takes the one-time part of a login link out of the address, at once: neither the history nor a shared screen keeps it.
 * @returns undefined where the address holds none
 */
export function takeLoginLink(location: Pick<Location, 'hash' | 'pathname'>, history: Pick<History, 'replaceState'>): string | undefined {
  const link = new URLSearchParams(location.hash.slice(1)).get('link');
  if (link === null) return undefined;
  history.replaceState(null, '', location.pathname);
  return link;
}
