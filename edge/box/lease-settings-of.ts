import type { Config } from '../config/schema.ts';
import type { LeaseSettings } from '../vault/client.ts';

/** How a tenant's vault gets its key under a lease; undefined where it comes from a file. */
export function leaseSettingsOf({ tenants, lease }: Pick<Config, 'tenants' | 'lease'>, tenant: string): LeaseSettings | undefined {
  const leased = tenants.find(({ id }) => id === tenant)?.keys === 'lease';
  return leased && lease ? { kmsKeys: lease.kmsKeys, tpm: lease.tpm } : undefined;
}
