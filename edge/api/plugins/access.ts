import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Api } from '../api.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Authorise } from '../auth/authorise.ts';
import { isSameOrigin } from '../auth/same-origin.ts';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Lets nobody through whom the route's access does not name, before anything of the body is read. */
export function addAccess(api: Api, authenticator: Authenticator, authorise: Authorise): void {
  api.decorateRequest('principal', undefined);
  // A route without an access row keeps the box from starting.
  api.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access === undefined) throw new SecureGateError('internal', `Route ${String(method)} ${url} does not say who may call it`);
  });
  api.addHook('onRequest', async (request) => {
    const { access } = request.routeOptions.config;
    // Only what is no route at all has none: it is answered with 404 and nothing else.
    if (access === undefined || access === 'public') return;
    const principal = await authenticator.authenticate(request);
    const { tenant } = request.params as { readonly tenant?: string };
    const refusal = authorise(principal, access, tenant);
    if (refusal !== undefined) throw refusal;
    const byCookie = principal.kind === 'admin' && principal.session !== null;
    if (byCookie && !READING.has(request.method) && !isSameOrigin(request)) {
      throw new SecureGateError('csrf', 'Nothing shows that this request comes from the page of this box');
    }
    request.principal = principal;
  });
}
