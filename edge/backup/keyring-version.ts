import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../shared/errors/is-missing.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { syncFolder } from '../runtime/sync-folder.ts';
import { writeDurably } from './write-durably.ts';

/**
 * The newest version that the replica of a tenant's keyring ever had. It is written down in the key folder, where neither an old
 * copy of the data nor an old copy of the replica takes it back.
 * @returns 0 where there never was a replica
 */
export async function readKeyringVersion(keyDir: string, tenant: string): Promise<number> {
  const path = fileOf(keyDir, tenant);
  try {
    const text = await readFile(path, 'utf8');
    if (/^\d{1,15}\n$/.test(text)) return Number(text);
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
  throw new SecureGateError('storage_failed', 'The version of the keyring cannot be read', { details: { path } });
}

export async function writeKeyringVersion(keyDir: string, tenant: string, version: number): Promise<void> {
  const path = fileOf(keyDir, tenant);
  await rm(`${path}.new`, { force: true });
  await writeDurably(`${path}.new`, [Buffer.from(`${version}\n`)]);
  await rename(`${path}.new`, path);
  syncFolder(keyDir);
}

function fileOf(keyDir: string, tenant: string): string {
  return join(keyDir, `${tenant}.keyring-version`);
}
