import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../shared/errors/is-missing.ts';

/** One version of the replica of a tenant's keyring: a folder with header.json and keys.db. */
export interface KeyringCopy {
  readonly version: number;
  readonly folder: string;
}

/** Where the replica of one tenant's keyring lies: a keyring belongs to one tenant on one box. */
export function replicaFolder(replicaDir: string, box: string, tenant: string): string {
  return join(replicaDir, box, tenant);
}

export function copyFolder(replica: string, version: number): string {
  return join(replica, String(version).padStart(12, '0'));
}

/** The newest whole copy in a replica. */
export async function newestCopy(replica: string): Promise<KeyringCopy | undefined> {
  const [newest] = (await entriesOf(replica))
    .filter((name) => /^\d{12}$/.test(name))
    .toSorted()
    .reverse();
  return newest === undefined ? undefined : { version: Number(newest), folder: join(replica, newest) };
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
