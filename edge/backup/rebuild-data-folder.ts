import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from '../../shared/log/create-logger.ts';
import { openAppliance } from '../appliance/open-appliance.ts';
import type { Clock } from '../runtime/clock.ts';
import { syncFolder } from '../runtime/sync-folder.ts';
import { type Examination, type LeaseSettings, tenantFiles, VaultClient } from '../vault/client.ts';
import type { KeyringCopy } from './keyring-copies.ts';
import { type BackedUpTenant, DATA_FILE, type Manifest } from './manifest.ts';
import { writeDurably } from './write-durably.ts';

export interface RebuildOptions {
  /** Folder of the backup. */
  readonly backup: string;
  readonly manifest: Manifest;
  readonly keyrings: ReadonlyMap<string, KeyringCopy>;
  readonly keyDir: string;
  /** How a tenant's key comes under a lease; undefined where it comes from a file. Without a network it takes a lease that was kept. */
  readonly leaseOf: (tenant: Pick<BackedUpTenant, 'id' | 'policy'>) => LeaseSettings | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onProgress: (tenant: string, done: number, total: number) => void;
}

/** What was found in a tenant's rebuilt vault. */
export interface RebuiltTenant extends Examination {
  readonly tenant: string;
  readonly keyringVersion: number;
}

/**
 * Makes a data folder of a backup and of the current keyrings, and opens everything in it once. Whoever was erased after the
 * backup is removed by that.
 * @param folder is there and empty
 * @throws {SecureGateError} `storage_failed`, those of the vault's start, `vault_corrupt`
 */
export async function rebuildDataFolder(folder: string, options: RebuildOptions): Promise<RebuiltTenant[]> {
  const { manifest, clock } = options;
  const appliance = openAppliance(folder, clock, manifest.box);
  for (const { id, org, policy } of manifest.tenants) if (policy !== null) appliance.tenants.put({ id, org, ...policy });
  appliance.close();
  const tenants: RebuiltTenant[] = [];
  for (const tenant of manifest.tenants) tenants.push(await rebuildTenant(folder, tenant, options));
  return tenants;
}

async function rebuildTenant(dataDir: string, tenant: BackedUpTenant, options: RebuildOptions): Promise<RebuiltTenant> {
  const { backup, manifest, keyrings, keyDir, leaseOf, clock, logger, onProgress } = options;
  const { id, org, data } = tenant;
  const files = tenantFiles(dataDir, id);
  const keyring = keyrings.get(id);
  if (keyring === undefined) throw new RangeError(`No keyring was found for ${id}`);
  await mkdir(files.keyring, { recursive: true, mode: 0o700 });
  await writeDurably(files.vaultDb, createReadStream(join(backup, id, DATA_FILE)), (bytes) => onProgress(id, bytes, data.bytes));
  for (const path of [files.header, files.keysDb]) await writeDurably(path, createReadStream(join(keyring.folder, basename(path))));
  for (const folder of [files.keyring, files.folder, dirname(files.folder)]) syncFolder(folder);
  const vault = new VaultClient({ org, tenant: id, box: manifest.box, dataDir, keyDir, lease: leaseOf(tenant), clock, logger });
  await vault.start();
  try {
    return { tenant: id, keyringVersion: keyring.version, ...(await vault.examine()) };
  } finally {
    await vault.stop();
  }
}
