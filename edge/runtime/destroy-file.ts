import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';

const PIECE_BYTES = 64 * 1024;

/**
 * Overwrites a file and removes it. A magnetic disk has lost it then. An SSD, and a file system that copies on write, put what is
 * overwritten in another place: there it lies on, for whoever reads the raw chips, until the disk has used that place again. And nobody can
 * know of the copies that were made of it. Hence never more than `erased`.
 */
export function destroyFile(path: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(fd);
    for (let at = 0; at < size; at += PIECE_BYTES) writeSync(fd, randomBytes(Math.min(PIECE_BYTES, size - at)), 0, undefined, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  rmSync(path);
}
