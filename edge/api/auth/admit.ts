import type { FastifyRequest } from 'fastify';
import type { Authenticator } from './authenticator.ts';
import type { Authorise } from './authorise.ts';
import type { Principal } from './principal.ts';

/**
 * Finds out who asks, if he may do what the route does in each tenant that the request is about; undefined where anybody may.
 * An answer that goes on asks again from time to time.
 * @throws {SecureGateError} those of {@link Authenticator.authenticate} and of {@link Authorise}
 */
export type Admit = (request: FastifyRequest) => Promise<Principal | undefined>;

export function createAdmit(authenticator: Authenticator, authorise: Authorise): Admit {
  return async (request) => {
    const { access } = request.routeOptions.config;
    // Only what is no route at all has none: it is answered with 404 and nothing else.
    if (access === undefined || access === 'public') return undefined;
    const principal = await authenticator.authenticate(request);
    for (const tenant of tenantsOf(request)) {
      const refusal = authorise(principal, access, tenant);
      if (refusal !== undefined) throw refusal;
    }
    return principal;
  };
}

/** Never empty: whoever names no tenant is judged as one who asks for the box as a whole. */
function tenantsOf({ params, query, routeOptions }: FastifyRequest): readonly (string | undefined)[] {
  const named = routeOptions.config.tenantsOf?.(query) ?? [];
  return named.length > 0 ? named : [(params as { readonly tenant?: string }).tenant];
}
