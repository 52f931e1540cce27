import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Puts a folder's entries on the disk: without it a new or renamed file can be gone after a power cut. */
export function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
