import type { FastifyRequest } from 'fastify';

/**
 * Whether the browser says that a page of this box made the request. A cookie goes along with whatever page asks, so that
 * a request which changes something needs this proof (OWASP: verifying origin with standard headers, Fetch Metadata).
 */
export function isSameOrigin({ headers, protocol }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  return headers.origin !== undefined && headers.origin === `${protocol}://${headers.host}`;
}
