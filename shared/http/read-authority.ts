import { isIPv6 } from 'node:net';

const AUTHORITY = /^(?<name>\[[0-9a-f:.]+\]|[a-z0-9.-]*)(?::\d{0,5})?$/i;
const NAME = /^(?!.{254})(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Most requests are for the host that the one before was for. */
let last = '';
let nameOfLast: string | undefined = '';

/**
 * The host name of a Host header or of a request target, `name[:port]`, in the one form that it is compared in: lower case,
 * without port, brackets and the dot of the root. Names beyond ASCII come as A-labels (`xn--`).
 * @returns empty where none is given; undefined for everything that is no host name or address
 */
export function readAuthority(text: string): string | undefined {
  if (text !== last) {
    nameOfLast = nameIn(text);
    last = text;
  }
  return nameOfLast;
}

function nameIn(text: string): string | undefined {
  const found = AUTHORITY.exec(text)?.groups?.name?.toLowerCase();
  if (found === undefined || found === '') return found;
  if (found.startsWith('[')) return isIPv6(found.slice(1, -1)) ? found.slice(1, -1) : undefined;
  const name = found.replace(/\.$/, '');
  return NAME.test(name) ? name : undefined;
}
