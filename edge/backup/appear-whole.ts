import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { syncFolder } from '../runtime/sync-folder.ts';

/**
 * Makes a folder so that it appears whole or not at all, also when the process is killed or the power fails. What an earlier try
 * left in `draft` is removed first.
 * @param draft where the folder is made, on the same disk; `fill` syncs what it makes in it
 * @throws {SecureGateError} `storage_failed`, those of `fill`
 */
export async function appearWhole<Result>(folder: string, draft: string, fill: () => Promise<Result>): Promise<Result> {
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { mode: 0o700 });
    const result = await fill();
    syncFolder(draft);
    await rename(draft, folder);
    syncFolder(dirname(folder));
    return result;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw SecureGateError.from(error, 'storage_failed');
  }
}
