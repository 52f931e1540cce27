import { join } from 'node:path';

/** Where a tenant's files lie. `keyring` is a folder of its own, so that its backup can be kept apart from the data's. */
export interface VaultFiles {
  readonly folder: string;
  readonly keyring: string;
  readonly header: string;
  readonly keysDb: string;
  readonly vaultDb: string;
}

/** @param folder `<dataDir>/tenants/<tenant>`, or the staging folder beside it */
export function vaultFiles(folder: string): VaultFiles {
  const keyring = join(folder, 'keyring');
  return { folder, keyring, header: join(keyring, 'header.json'), keysDb: join(keyring, 'keys.db'), vaultDb: join(folder, 'vault.db') };
}
