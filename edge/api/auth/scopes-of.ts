import type { Confines } from '../../../shared/http/tenant-context.ts';
import { SCOPES, type Scope } from '../schemas/box.ts';
import type { Principal } from './principal.ts';
import { ROLE_SCOPES } from './role-scopes.ts';

/** What somebody may do in a tenant. */
export function scopesOf(principal: Principal, { org, tenant }: Confines): readonly Scope[] {
  if (principal.kind === 'admin') return SCOPES;
  if (tenant === undefined) return [];
  if (principal.kind === 'client') return principal.tenant === tenant ? principal.scopes : [];
  if (principal.org !== org) return [];
  // A role without a tenant is one in the whole org.
  const roles = principal.roles.filter((given) => (given.tenant ?? tenant) === tenant);
  return roles.flatMap(({ role }) => ROLE_SCOPES.get(role) ?? []);
}
