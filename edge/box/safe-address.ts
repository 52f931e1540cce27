/**
 * A camera's address as it may be shown: without user and password, and without its query, where some makers want them too.
 * The path of a file is shown as it is.
 */
export function safeAddress(url: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return url;
  if (!URL.canParse(url)) return '';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
