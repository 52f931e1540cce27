import type { KeyOrigin } from '../appliance/tenant-policies.ts';
import type { Config } from '../config/schema.ts';
import type { LeaseSettings } from '../vault/client.ts';

/** How a tenant's vault gets its key under a lease; undefined where it comes from a file. What the configuration file declares counts. */
export function leaseSettingsOf(
  { tenants, lease }: Pick<Config, 'tenants' | 'lease'>,
  tenant: { readonly id: string; readonly keys?: KeyOrigin | undefined },
): LeaseSettings | undefined {
  const { keys } = tenants.find(({ id }) => id === tenant.id) ?? tenant;
  return keys === 'lease' && lease ? { kmsKeys: lease.kmsKeys, tpm: lease.tpm } : undefined;
}
