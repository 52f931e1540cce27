import type { Confines } from '../../shared/http/tenant-context.ts';
import { OPERATIONS, type Operation, type OperationName } from './operations.ts';
import type { Role } from './roles.ts';

/** A role of somebody. Empty `org` and `tenant` stand for all. */
export interface Grant {
  readonly role: Role;
  readonly org: string;
  readonly tenant: string;
}

/**
 * Whether one of the grants allows an operation on what it is about. The one place that decides.
 * A grant for an org holds in its tenants; one for the platform holds everywhere, for the few operations that name its role.
 */
export function mayDo(name: OperationName, grants: readonly Grant[], subject: Confines): boolean {
  const { roles, reach }: Operation = OPERATIONS[name];
  return grants.some((grant) => roles.includes(grant.role) && covers(grant, reach, subject));
}

function covers(grant: Grant, reach: Operation['reach'], { org, tenant }: Confines): boolean {
  if (grant.org === '') return true;
  if (reach === 'platform' || grant.org !== org) return false;
  return grant.tenant === '' || (reach === 'tenant' && grant.tenant === tenant);
}
