import type { FastifyRequest } from 'fastify';
import type { HttpApi } from './http-api.ts';

/**
 * One line for each request: its route's pattern rather than its address, which can hold what somebody searched for.
 * @param who asks, once that is known: ids alone
 */
export function addRequestLog(api: HttpApi, who: (request: FastifyRequest) => Readonly<Record<string, string>>): void {
  api.addHook('onResponse', (request, reply, done) => {
    const route = request.route.url ?? 'none';
    const { id: requestId, method, refusal: code } = request;
    const ms = Math.round(reply.elapsedTime);
    request.log.info({ requestId, method, route, status: reply.statusCode, ms, ...who(request), code }, 'request');
    done();
  });
}
