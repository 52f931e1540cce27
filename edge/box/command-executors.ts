import type { Executors } from '../link/commands/executors.ts';
import { eraseCustomers } from './erase-customers.ts';
import type { Leases } from './leases.ts';
import type { Shredder } from './shredder.ts';
import type { Tenants } from './tenants.ts';

export interface CommandExecutorsOptions {
  readonly leases: Pick<Leases, 'renew' | 'revoke'>;
  readonly tenants: Pick<Tenants, 'restart' | 'has' | 'vault'>;
  readonly shredder: Pick<Shredder, 'shred'>;
  readonly sayHello: () => void;
}

/** What this box does when the control plane tells it to. */
export function commandExecutors({ leases, tenants, shredder, sayHello }: CommandExecutorsOptions): Executors {
  return {
    'renew-lease': ({ tenant }) => leases.renew(tenant),
    'revoke-lease': ({ tenant }) => leases.revoke(tenant),
    'restart-tenant': ({ tenant }) => tenants.restart(tenant),
    sync: async () => sayHello(),
    'shred-tenant': ({ org, tenant }) => shredder.shred(org, tenant),
    'erase-customers': ({ tenant, customers }) => eraseCustomers(tenants, tenant, customers),
  };
}
