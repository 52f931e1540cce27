import { existsSync } from 'node:fs';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import { adminTokenFile } from './appliance/admin-token-file.ts';
import { applianceFile, openAppliance } from './appliance/open-appliance.ts';
import type { Config } from './config/schema.ts';

/**
 * Gives a box whose daemon is stopped another admin token: the composition root of `securegate admin-token reset`.
 * @returns where the token is, and how many sessions and login links ended with the earlier one
 * @throws {SecureGateError} `config_invalid` (no box has this data folder), `data_folder_in_use`, `data_folder_newer`, `storage_failed`
 */
export async function resetAdminToken({
  dataDir,
  keyDir,
}: Pick<Config, 'dataDir' | 'keyDir'>): Promise<{ tokenFile: string; sessions: number; loginLinks: number }> {
  // Opening would make one, and whoever mistyped the folder would get a token that opens nothing.
  if (!existsSync(applianceFile(dataDir))) {
    throw new SecureGateError('config_invalid', 'No box was ever started with this data folder', { details: { dataDir } });
  }
  const tokenFile = adminTokenFile(keyDir);
  const appliance = openAppliance(dataDir);
  try {
    return { tokenFile, ...(await appliance.admin.reset(tokenFile)) };
  } finally {
    appliance.close();
  }
}
