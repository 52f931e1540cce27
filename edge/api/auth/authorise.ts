import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Access, Principal } from './principal.ts';

/**
 * Decides whether a principal may do what a route does; `tenant` is the one in the route's path, if any.
 * The one place that decides: a central IAM takes the place of this function.
 * @returns the refusal, or undefined where it is allowed
 */
export type Authorise = (
  principal: Principal,
  access: Exclude<Access, 'public'>,
  tenant: string | undefined,
) => SecureGateError | undefined;

/** On a stand-alone box the admin may do everything, and a key what its scopes say, in its own tenant alone. */
export const authorise: Authorise = (principal, access, tenant) => {
  if (principal.kind === 'admin') {
    const lacksSession = access === 'session' && principal.session === null;
    return lacksSession ? new SecureGateError('unauthenticated', 'There is no session') : undefined;
  }
  // One answer for every reason: a key must not tell which tenants there are.
  const allowed = access !== 'session' && access !== 'admin' && principal.tenant === tenant && principal.scopes.includes(access);
  return allowed ? undefined : new SecureGateError('forbidden', 'This key may not do that');
};
