import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isMissing } from '../../shared/errors/is-missing.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { DATA_FILE, MANIFEST, type Manifest, manifestSchema } from './manifest.ts';

/**
 * Reads a backup's manifest and compares every file with its sum.
 * @throws {SecureGateError} `file_unreadable` (no backup there), `backup_damaged` with the files at fault
 */
export async function readBackup(folder: string): Promise<Manifest> {
  const manifest = await readManifest(join(folder, MANIFEST));
  const damaged: string[] = [];
  for (const { id, data } of manifest.tenants) {
    const path = join(folder, id, DATA_FILE);
    if ((await sumOf(path)) !== data.sha256) damaged.push(path);
  }
  if (damaged.length > 0)
    throw new SecureGateError('backup_damaged', 'Files of the backup were changed or are missing', { details: { damaged } });
  return manifest;
}

async function readManifest(path: string): Promise<Manifest> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SecureGateError('file_unreadable', 'There is no backup that can be read', { cause, details: { path } });
  });
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SecureGateError('backup_damaged', 'The manifest of the backup does not hold', { cause, details: { path } });
  }
}

async function sumOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return hash.digest('hex');
}
