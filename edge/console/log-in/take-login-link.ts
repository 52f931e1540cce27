/**
 * Takes the one-time part of a login link out of the address, at once: neither the history nor a shared screen keeps it.
 * @returns undefined where the address holds none
 */
export function takeLoginLink(
  location: { readonly hash: string; readonly pathname: string },
  history: { replaceState(data: null, unused: string, url: string): void },
): string | undefined {
  const link = new URLSearchParams(location.hash.slice(1)).get('link');
  if (link === null) return undefined;
  history.replaceState(null, '', location.pathname);
  return link;
}
