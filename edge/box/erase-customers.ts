import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Removed } from '../../shared/fleet/ack.ts';
import type { Tenants } from './tenants.ts';

/**
 * Erases those of the customers whom this box knows, or has known. A tenant that is not here has nobody to erase.
 * @throws {SecureGateError} `vault_unavailable`, `lease_ended` and the like: a vault that is closed erases nobody
 */
export async function eraseCustomers(
  tenants: Pick<Tenants, 'has' | 'vault'>,
  tenant: string,
  customers: readonly string[],
): Promise<Removed> {
  let erased = 0;
  for (const customer of tenants.has(tenant) ? customers : []) {
    try {
      await tenants.vault(tenant).eraseCustomers([customer]);
      erased += 1;
    } catch (error) {
      if (!(error instanceof SecureGateError) || error.code !== 'customer_not_found') throw error;
    }
  }
  return { keyFiles: 0, dataFiles: 0, bytes: 0, customers: erased, tpmCounter: false };
}
