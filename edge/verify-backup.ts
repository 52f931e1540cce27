import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import { findKeyrings } from './backup/find-keyrings.ts';
import { readBackup } from './backup/read-backup.ts';
import { type RebuildOptions, type RebuiltTenant, rebuildDataFolder } from './backup/rebuild-data-folder.ts';
import { leaseSettingsOf } from './box/lease-settings-of.ts';
import type { Config } from './config/schema.ts';
import { systemClock } from './runtime/clock.ts';

export interface BackupUseOptions extends Pick<RebuildOptions, 'logger' | 'onProgress'> {
  /** Where the replica of the keyrings lies; as the configuration says unless said. */
  readonly keyring?: string | undefined;
}

/**
 * Rehearses a restore beside the data folder and throws away what it made: the composition root of `securegate backup verify`.
 * Works beside a running box, and on another machine that has the keys.
 * @returns what each tenant's vault holds
 * @throws {SecureGateError} `backup_damaged` (also when the keyrings do not open all of it), those of `readBackup`, `findKeyrings` and
 * `rebuildDataFolder`
 */
export async function verifyBackup(config: Config, backup: string, options: BackupUseOptions): Promise<readonly RebuiltTenant[]> {
  const { dataDir, keyDir, keyringReplicaDir } = config;
  const { keyring = keyringReplicaDir, logger, onProgress } = options;
  if (keyring === undefined) throw new SecureGateError('keyring_missing', 'The configuration names no replica of the keyrings');
  const leaseOf: RebuildOptions['leaseOf'] = ({ id, policy }) => leaseSettingsOf(config, { id, keys: policy?.keys });
  const manifest = await readBackup(backup);
  const keyrings = await findKeyrings(manifest, keyring, keyDir);
  const rehearsal = `${dataDir}.rehearsal`;
  await mkdir(dirname(dataDir), { recursive: true });
  await rm(rehearsal, { recursive: true, force: true });
  try {
    await mkdir(rehearsal, { mode: 0o700 });
    const tenants = await rebuildDataFolder(rehearsal, {
      backup,
      manifest,
      keyrings,
      keyDir,
      leaseOf,
      clock: systemClock,
      logger,
      onProgress,
    });
    const bad = tenants.filter(({ keyless, damaged }) => keyless + damaged > 0);
    if (bad.length > 0) throw new SecureGateError('backup_damaged', 'Not all of the backup opens', { details: { tenants: bad } });
    return tenants;
  } finally {
    await rm(rehearsal, { recursive: true, force: true });
  }
}
