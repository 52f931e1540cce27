import type { FastifyReply } from 'fastify';

/** Puts the version of what is answered into the ETag header. */
export function setVersion(reply: FastifyReply, version: number): void {
  reply.header('etag', `"${version}"`);
}

/** The version that a change is meant for, from If-Match (checked by `versionHeaders`); undefined where any will do. */
export function expectedVersion({ headers }: { readonly headers: { readonly 'if-match'?: string | undefined } }): number | undefined {
  const tag = headers['if-match'];
  return tag === undefined || tag === '*' ? undefined : Number(tag.slice(1, -1));
}
