import type { BackedUpTenant } from './manifest.ts';

/** A box whose data are to be backed up, at work or at rest. */
export interface BackupSource {
  readonly box: string;
  readonly tenants: readonly Pick<BackedUpTenant, 'id' | 'org' | 'policy'>[];
  /**
   * The tenant's vault.db, encrypted as it is.
   * @throws {SecureGateError} `copy_outdated` (the bytes do not belong together: ask for them anew), those of the vault
   */
  data(tenant: string): AsyncIterable<Buffer>;
}
