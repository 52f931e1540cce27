import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { type Confines, isWithin } from '../../../shared/http/tenant-context.ts';
import type { TenantsPort } from '../ports.ts';
import type { Authenticator } from './authenticator.ts';
import type { Authorise } from './authorise.ts';
import type { Principal } from './principal.ts';

/**
 * Finds out who asks, if he may do what the route does in each tenant that the request is about; undefined where anybody may.
 * An answer that goes on asks again from time to time.
 * @throws {SecureGateError} `outside_tenant`, those of {@link Authenticator.authenticate} and of {@link Authorise}
 */
export type Admit = (request: FastifyRequest) => Promise<Principal | undefined>;

export function createAdmit(authenticator: Authenticator, authorise: Authorise, tenants: Pick<TenantsPort, 'list'>): Admit {
  return async (request) => {
    const { access } = request.route.config;
    // Only what is no route at all has none: it is answered with 404 and nothing else.
    if (access === undefined || access === 'public') return undefined;
    const principal = await authenticator.authenticate(request);
    for (const subject of subjectsOf(request, tenants)) {
      // A session is about nobody but its owner.
      if (access !== 'session' && !isWithin(request.confines, subject)) {
        throw new SecureGateError('outside_tenant', 'Host name, headers and path do not name the same tenant');
      }
      const refusal = authorise(principal, access, subject);
      if (refusal !== undefined) throw refusal;
    }
    return principal;
  };
}

/** Never empty: whoever names no tenant is judged as one who asks for the box as a whole. */
function subjectsOf({ params, query, route }: FastifyRequest, tenants: Pick<TenantsPort, 'list'>): readonly Confines[] {
  const named = route.config.tenantsOf?.(query) ?? [];
  const { tenant } = params as { readonly tenant?: string };
  const asked = named.length > 0 ? named : [tenant];
  return asked.map((id) => ({ tenant: id, org: tenants.list().find((one) => one.id === id)?.org }));
}
