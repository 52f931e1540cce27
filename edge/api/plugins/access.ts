import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Api } from '../api.ts';
import type { Admit } from '../auth/admit.ts';
import { isSameOrigin } from '../auth/same-origin.ts';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Lets nobody through whom the route's access does not name, before anything of the body is read. */
export function addAccess(api: Api, admit: Admit): void {
  api.decorateRequest('principal', undefined);
  // A route without an access row keeps the box from starting.
  api.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access === undefined) throw new SecureGateError('internal', `Route ${String(method)} ${url} does not say who may call it`);
  });
  api.addHook('onRequest', async (request) => {
    const principal = await admit(request);
    if (principal === undefined) return;
    const byCookie = principal.kind === 'admin' && principal.session !== null;
    if (byCookie && !READING.has(request.method) && !isSameOrigin(request)) {
      throw new SecureGateError('csrf', 'Nothing shows that this request comes from the page of this box');
    }
    request.principal = principal;
  });
}
