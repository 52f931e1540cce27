import type { KeyOrigin } from '../appliance/tenant-policies.ts';
import type { Config } from '../config/schema.ts';
import { enrolmentFile } from '../link/enrolment/link-folder.ts';
import type { LeaseSettings } from '../vault/client.ts';

/** How a tenant's vault gets its key under a lease; undefined where it comes from a file. What the configuration file declares counts. */
export function leaseSettingsOf(
  { tenants, lease, keyDir }: Pick<Config, 'tenants' | 'lease' | 'keyDir'>,
  tenant: { readonly id: string; readonly keys?: KeyOrigin | undefined },
): LeaseSettings | undefined {
  const { keys } = tenants.find(({ id }) => id === tenant.id) ?? tenant;
  if (keys !== 'lease') return undefined;
  const { kmsKeys: keySet, tpm } = lease ?? {};
  return { kmsKeys: keySet === undefined ? { enrolment: enrolmentFile(keyDir) } : { keySet }, tpm };
}
