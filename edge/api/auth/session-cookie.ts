import type { FastifyRequest } from 'fastify';

/** Name of the session cookie over plain HTTP, on the box's own machine. */
export const PLAIN_SESSION_COOKIE = 'sgs';

/**
 * Name of the session cookie. With TLS its prefix makes the browser take it from this very host alone (RFC 6265bis, 4.1.3.2),
 * not from a page of a neighbouring name or one without TLS.
 */
export function sessionCookie({ protocol }: Pick<FastifyRequest, 'protocol'>): string {
  return protocol === 'https' ? `__Host-${PLAIN_SESSION_COOKIE}` : PLAIN_SESSION_COOKIE;
}
