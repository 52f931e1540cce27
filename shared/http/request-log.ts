import type { FastifyRequest } from 'fastify';
import type { HttpApi } from './http-api.ts';

/**
 * One line for each request: its route's pattern rather than its address, which can hold what somebody searched for.
 * @param who asks, once that is known: ids alone
 */
export function addRequestLog(api: HttpApi, who: (request: FastifyRequest) => Readonly<Record<string, string>>): void {
  api.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  api.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const facts = { requestId: request.id, method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    request.log.info({ ...facts, ...who(request), code: request.refusal }, 'request');
    done();
  });
}
