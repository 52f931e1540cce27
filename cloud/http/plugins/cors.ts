import cors from '@fastify/cors';
import type { HttpApi } from '../../../shared/http/http-api.ts';

const HOUR_S = 3600;

/** Lets web pages of these origins ask, and read what is answered. They show a token as everybody does: no cookie counts here. */
export async function addCors(api: HttpApi, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await api.register(cors, {
    origin: [...origins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-match'],
    exposedHeaders: ['etag', 'location', 'retry-after', 'x-request-id'],
    maxAge: HOUR_S,
  });
}
