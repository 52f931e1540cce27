import { mkdir, readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isMissing } from '../shared/errors/is-missing.ts';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import { appearWhole } from './backup/appear-whole.ts';
import { findKeyrings } from './backup/find-keyrings.ts';
import { readBackup } from './backup/read-backup.ts';
import { type RebuildOptions, type RebuiltTenant, rebuildDataFolder } from './backup/rebuild-data-folder.ts';
import { leaseSettingsOf } from './box/lease-settings-of.ts';
import type { Config } from './config/schema.ts';
import { systemClock } from './runtime/clock.ts';
import type { BackupUseOptions } from './verify-backup.ts';

/**
 * Makes the data folder of a box of a backup and the current keyrings: the composition root of `securegate backup restore`. What
 * does not open is left out, as the running box leaves it out, and counted.
 * @throws {SecureGateError} `conflict` (there are data), those of `readBackup`, `findKeyrings` and `rebuildDataFolder`
 */
export async function restoreBackup(config: Config, backup: string, options: BackupUseOptions): Promise<readonly RebuiltTenant[]> {
  const { dataDir, keyDir, keyringReplicaDir } = config;
  const { keyring = keyringReplicaDir, logger, onProgress } = options;
  if (keyring === undefined) throw new SecureGateError('keyring_missing', 'The configuration names no replica of the keyrings');
  await requireEmpty(dataDir);
  const leaseOf: RebuildOptions['leaseOf'] = ({ id, policy }) => leaseSettingsOf(config, { id, keys: policy?.keys });
  const manifest = await readBackup(backup);
  const keyrings = await findKeyrings(manifest, keyring, keyDir);
  await mkdir(dirname(dataDir), { recursive: true });
  const draft = `${dataDir}.unfinished`;
  return appearWhole(dataDir, draft, () =>
    rebuildDataFolder(draft, { backup, manifest, keyrings, keyDir, leaseOf, clock: systemClock, logger, onProgress }),
  );
}

async function requireEmpty(dataDir: string): Promise<void> {
  const there = await readdir(dataDir).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw SecureGateError.from(error, 'storage_failed');
  });
  if (there.length > 0) throw new SecureGateError('conflict', 'The data folder is not empty: move it away', { details: { dataDir } });
}
