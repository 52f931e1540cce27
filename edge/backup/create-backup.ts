import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Clock } from '../runtime/clock.ts';
import { syncFolder } from '../runtime/sync-folder.ts';
import { tenantFiles } from '../vault/client.ts';
import { appearWhole } from './appear-whole.ts';
import type { BackupSource } from './backup-source.ts';
import { readKeyringVersion } from './keyring-version.ts';
import { type BackedUpTenant, DATA_FILE, MANIFEST, type Manifest } from './manifest.ts';
import { type FileSum, writeDurably } from './write-durably.ts';

/** Whatever is removed from a vault outruns the copy that is being made of it. */
const TRIES = 5;

export interface CreateBackupOptions {
  readonly source: BackupSource;
  /** Of the box that is backed up. */
  readonly dataDir: string;
  readonly keyDir: string;
  readonly clock: Clock;
  /** `total` is what the file had when its copy began. */
  readonly onProgress: (tenant: string, bytes: number, total: number) => void;
}

/**
 * Copies the data of all tenants into a new folder, which appears when it is whole. No keyring and no credential is in it: an
 * older one of these would bring back who was erased, or what was revoked.
 * @throws {SecureGateError} `conflict` (there is such a folder), `copy_outdated`, `vault_unavailable`, `storage_failed`
 */
export async function createBackup(folder: string, options: CreateBackupOptions): Promise<Manifest> {
  const { source, clock } = options;
  if (existsSync(folder)) throw new SecureGateError('conflict', 'There is such a folder', { details: { folder } });
  const draft = `${folder}.unfinished`;
  return appearWhole(folder, draft, async () => {
    const at = new Date(clock.now()).toISOString();
    const tenants: BackedUpTenant[] = [];
    for (const tenant of source.tenants) tenants.push(await copyTenant(join(draft, tenant.id), tenant, options));
    const manifest: Manifest = { format: 'securegate-backup', version: 1, at, box: source.box, tenants };
    await writeDurably(join(draft, MANIFEST), [Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`)]);
    return manifest;
  });
}

async function copyTenant(
  folder: string,
  tenant: BackupSource['tenants'][number],
  { source, dataDir, keyDir, onProgress }: CreateBackupOptions,
): Promise<BackedUpTenant> {
  const { header, vaultDb } = tenantFiles(dataDir, tenant.id);
  try {
    await mkdir(folder, { mode: 0o700 });
    // Read before the data, whose keys are in this version or a newer one.
    const keyringVersion = await readKeyringVersion(keyDir, tenant.id);
    const { epoch } = epochSchema.parse(JSON.parse(await readFile(header, 'utf8')));
    const { size } = await stat(vaultDb);
    const data = await copyData(join(folder, DATA_FILE), source, tenant.id, (bytes) => onProgress(tenant.id, bytes, size));
    syncFolder(folder);
    return { ...tenant, epoch, keyringVersion, data };
  } catch (error) {
    const { code, message, details } = SecureGateError.from(error, 'storage_failed');
    throw new SecureGateError(code, message, { cause: error, details: { ...details, tenant: tenant.id } });
  }
}

/** What a keyring header says in clear. */
const epochSchema = z.object({ epoch: z.number().int() });

async function copyData(path: string, source: BackupSource, tenant: string, onBytes: (bytes: number) => void): Promise<FileSum> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await writeDurably(path, source.data(tenant), onBytes);
    } catch (error) {
      if (SecureGateError.from(error).code !== 'copy_outdated' || tries === TRIES) throw error;
      await rm(path, { force: true });
    }
  }
}
