import { mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

const PREFIX = '.partial-';

/**
 * Gives `work` a folder of its own inside `folder`, so that what it makes can be moved into place by a rename on the
 * same file system. The folder is gone afterwards, whatever happened; one that a killed process left is swept by the next.
 * @throws {SecureGateError} what `work` throws, or `storage_failed` when the disk does
 */
export async function withStaging<T>(folder: string, work: (staging: string) => Promise<T>): Promise<T> {
  try {
    await mkdir(folder, { recursive: true });
    await sweepStaging(folder);
    const staging = await mkdtemp(join(folder, `${PREFIX}${process.pid}-`));
    try {
      return await work(staging);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  } catch (error) {
    throw SecureGateError.from(error, 'storage_failed');
  }
}

/** Removes the staging folders of processes that no longer run. */
async function sweepStaging(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(PREFIX)) continue;
    const pid = Number.parseInt(name.slice(PREFIX.length), 10);
    if (!isRunning(pid)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Forces a file's or a folder's content onto the disk, so that a rename never makes visible what a power cut can lose. */
export async function flushToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
