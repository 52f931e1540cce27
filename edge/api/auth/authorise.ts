import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Confines } from '../../../shared/http/tenant-context.ts';
import type { Access, Principal } from './principal.ts';
import { scopesOf } from './scopes-of.ts';

/**
 * Decides whether a principal may do what a route does; `subject` is the tenant in the route's path, if any, with its org.
 * The one place that decides.
 * @returns the refusal, or undefined where it is allowed
 */
export type Authorise = (principal: Principal, access: Exclude<Access, 'public'>, subject: Confines) => SecureGateError | undefined;

/** The box's own admin may do everything, and all others what their scopes say, in their own tenants alone. */
export const authorise: Authorise = (principal, access, subject) => {
  if (principal.kind === 'admin') {
    const lacksSession = access === 'session' && principal.session === null;
    return lacksSession ? new SecureGateError('unauthenticated', 'There is no session') : undefined;
  }
  // One answer for every reason: a key must not tell which tenants there are.
  const allowed = access !== 'session' && access !== 'admin' && scopesOf(principal, subject).includes(access);
  return allowed ? undefined : new SecureGateError('forbidden', 'This key may not do that');
};
