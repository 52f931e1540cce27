import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../shared/errors/is-missing.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { replaceDurably } from './replace-durably.ts';

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
  await replaceDurably(fileOf(keyDir, tenant), `${version}\n`);
}

export async function forgetKeyringVersion(keyDir: string, tenant: string): Promise<void> {
  await rm(fileOf(keyDir, tenant), { force: true });
}

function fileOf(keyDir: string, tenant: string): string {
  return join(keyDir, `${tenant}.keyring-version`);
}
