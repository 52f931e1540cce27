import { open } from 'node:fs/promises';

/** Puts a folder's entries on the disk: without it a new or renamed file can be gone after a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
