import { existsSync } from 'node:fs';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import type { Logger } from '../shared/log/create-logger.ts';
import { adminTokenFile } from './appliance/admin-token-file.ts';
import { type Appliance, applianceFile } from './appliance/open-appliance.ts';
import { openUnlessInUse } from './appliance/open-unless-in-use.ts';
import { type CreateBackupOptions, createBackup } from './backup/create-backup.ts';
import { writeLastBackup } from './backup/last-backup.ts';
import type { Manifest } from './backup/manifest.ts';
import { RunningBox } from './backup/running-box.ts';
import { StoppedBox } from './backup/stopped-box.ts';
import { leaseSettingsOf } from './box/lease-settings-of.ts';
import type { Config } from './config/schema.ts';
import { systemClock } from './runtime/clock.ts';
import { tenantFiles } from './vault/client.ts';

export interface BackUpOptions extends Pick<CreateBackupOptions, 'onProgress'> {
  /** Of the admin token, which a running box is asked with; in the key folder unless said. */
  readonly tokenFile?: string | undefined;
  readonly logger: Logger;
}

/**
 * Backs up the data of a box, whether its daemon runs or not: the composition root of `securegate backup create`.
 * @param folder is made, and appears when it is whole
 * @throws {SecureGateError} `config_invalid` (no box has this data folder), those of `createBackup`, of the vaults and of `RunningBox`
 */
export async function backUp(config: Config, folder: string, { tokenFile, logger, onProgress }: BackUpOptions): Promise<Manifest> {
  const { dataDir, keyDir } = config;
  // Opening would make one.
  if (!existsSync(applianceFile(dataDir))) {
    throw new SecureGateError('config_invalid', 'No box was ever started with this data folder', { details: { dataDir } });
  }
  const appliance = openUnlessInUse(dataDir);
  try {
    const source = appliance ? stoppedBox(config, appliance, logger) : await runningBox(config, tokenFile);
    const manifest = await createBackup(folder, { source, dataDir, keyDir, clock: systemClock, onProgress });
    await writeLastBackup(keyDir, manifest);
    return manifest;
  } finally {
    appliance?.close();
  }
}

async function runningBox({ keyDir, api }: Config, tokenFile = adminTokenFile(keyDir)): Promise<RunningBox> {
  const box = new RunningBox({ api, tokenFile });
  await box.open();
  return box;
}

function stoppedBox(config: Config, appliance: Appliance, logger: Logger): StoppedBox {
  const { dataDir, keyDir, keyringReplicaDir: replicaDir, tenants: declared } = config;
  const added = appliance.tenants.list().map(({ id, org, ...policy }) => ({ id, org, policy }));
  const ids = new Set(declared.map(({ id }) => id));
  const tenants = [...declared.map(({ id, org }) => ({ id, org, policy: null })), ...added.filter(({ id }) => !ids.has(id))];
  return new StoppedBox({
    box: appliance.box,
    // A tenant whose vault was never made has nothing to back up.
    tenants: tenants.filter(({ id }) => existsSync(tenantFiles(dataDir, id).header)),
    dataDir,
    replicaDir,
    keyDir,
    leaseOf: ({ id, policy }) => leaseSettingsOf(config, { id, keys: policy?.keys }),
    clock: systemClock,
    logger,
  });
}
