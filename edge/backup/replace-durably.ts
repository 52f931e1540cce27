import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../runtime/sync-folder.ts';
import { writeDurably } from './write-durably.ts';

/** Puts a small file (mode 0600) in the place of the one before; a crash leaves one of the two, whole. */
export async function replaceDurably(path: string, content: string): Promise<void> {
  await rm(`${path}.new`, { force: true });
  await writeDurably(`${path}.new`, [Buffer.from(content)]);
  await rename(`${path}.new`, path);
  syncFolder(dirname(path));
}
