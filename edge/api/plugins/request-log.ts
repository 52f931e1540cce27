import type { Api } from '../api.ts';

/** One line for each request: its route's pattern rather than its address, which can hold what somebody searched for. */
export function addRequestLog(api: Api): void {
  api.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  api.addHook('onResponse', async (request, reply) => {
    const { tenant } = (request.params ?? {}) as { readonly tenant?: string };
    const route = request.routeOptions.url ?? 'none';
    const facts = { method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    // Of a path that no route has taken the tenant is just somebody's text.
    const who = request.principal === undefined ? {} : { principal: request.principal.id, ...(tenant === undefined ? {} : { tenant }) };
    request.log.info({ ...facts, ...who, code: request.refusal }, 'request');
  });
}
