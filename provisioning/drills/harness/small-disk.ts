import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Box } from './box.ts';

const run = promisify(execFile);
const MEGABYTES = 32;

/** Where the data of a box lies that has a disk of its own: goes into its configuration. */
export const ON_SMALL_DISK = { dataDir: 'disk/data' } as const;

/**
 * Moves a box's data to a small ext4 disk in a file, for as long as `work` takes.
 * @param work gets the disk's folder
 */
export async function onSmallDisk<Result>(box: Box, work: (disk: string) => Promise<Result>): Promise<Result> {
  const image = box.path('disk.img');
  const disk = box.path('disk');
  await run('truncate', [`--size=${MEGABYTES}M`, image]);
  // Without reserved blocks it is as full for root as for everybody.
  await run('mkfs.ext4', ['-q', '-m', '0', image]);
  await mkdir(disk);
  await run('mount', ['-o', 'loop,errors=remount-ro', image, disk]);
  try {
    await cp(box.path('data'), box.path(ON_SMALL_DISK.dataDir), { recursive: true });
    return await work(disk);
  } finally {
    await box.remove();
    await run('umount', ['--lazy', disk]);
  }
}

/** Lets the file system find an error, as it does with a dying disk: from then on it takes no writes. */
export async function failDisk(disk: string): Promise<void> {
  await run('mount', ['-o', 'remount,abort', disk]);
}

/** Brings a failed disk back, checked. */
export async function replaceDisk(box: Box, disk: string): Promise<void> {
  await run('umount', [disk]);
  // 1: errors were corrected.
  await run('e2fsck', ['-fy', box.path('disk.img')]).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 1)) throw error;
  });
  await run('mount', ['-o', 'loop', box.path('disk.img'), disk]);
}
