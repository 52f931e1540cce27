import { cp, lstat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { DrillBox } from './drill-box.ts';

/** The token of SoftHSM2: the HSM itself, which nobody copies. */
const HSM = 'tokens';

/**
 * Copies what backups hold, and more: cloud database, store of the broker, KMS database, all of every box, secrets included. Not what is a root of
 * trust: the HSM, the memory of a TPM.
 * @param to does not exist yet
 */
export async function copyEverything(cloud: string, boxes: readonly DrillBox[], to: string): Promise<void> {
  const copy = (from: string, name: string): Promise<void> =>
    cp(from, join(to, name), {
      recursive: true,
      filter: async (path) => {
        if (from === cloud && relative(from, path) === HSM) return false;
        const found = await lstat(path);
        return found.isDirectory() || found.isFile();
      },
    });
  await copy(cloud, 'cloud');
  for (const { name, run } of boxes) await copy(run.path, name);
}
