import type { FastifyReply, FastifyRequest } from 'fastify';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

/** Puts the version of what is answered into the ETag header. */
export function setVersion(reply: FastifyReply, version: number): void {
  reply.header('etag', `"${version}"`);
}

/**
 * The version that a change is meant for, from If-Match; undefined where any will do.
 * @throws {SecureGateError} `invalid_request`
 */
export function expectedVersion(request: FastifyRequest): number | undefined {
  const tag = request.headers['if-match'];
  if (tag === undefined || tag === '*') return undefined;
  const version = /^"(\d{1,15})"$/.exec(tag)?.[1];
  if (version === undefined) {
    throw new SecureGateError('invalid_request', 'If-Match is not an ETag of this API', {
      details: { fields: [{ path: 'headers.if-match', message: 'not an ETag of this API' }] },
    });
  }
  return Number(version);
}
