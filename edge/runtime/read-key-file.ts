import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

/** More is no key. */
const MOST_BYTES = 8192;

/**
 * Reads a file that holds a key. Every check is made on the open file, so that nobody can exchange it between check and use.
 * @returns its bytes, unpooled; the caller wipes them
 * @throws {SecureGateError} `key_file_missing`, `key_file_unsafe`, `key_rejected` (too long to be a key)
 */
export function readKeyFile(path: string): Buffer {
  const fd = openKeyFile(path);
  try {
    const { mode, uid, nlink, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw unsafe('The key file is not a regular file', path);
    if ((mode & 0o177) !== 0) throw unsafe('The key file is open to others', path);
    if (uid !== process.getuid?.()) throw unsafe('The key file belongs to another user', path);
    // A second name of the file could lie in the data folder.
    if (nlink !== 1) throw unsafe('The key file has a second name', path);
    if (size > MOST_BYTES) throw new SecureGateError('key_rejected', 'The key file does not hold a key', { details: { path, size } });
    const key = Buffer.alloc(size);
    readSync(fd, key, 0, size, 0);
    return key;
  } finally {
    closeSync(fd);
  }
}

function openKeyFile(path: string): number {
  try {
    // O_NONBLOCK: a pipe in the file's place must not hang the start.
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT') throw new SecureGateError('key_file_missing', 'The key file is not there', { cause, details: { path } });
    if (code === 'ELOOP') throw unsafe('The key file is a symbolic link', path, cause);
    throw unsafe('The key file cannot be opened', path, cause);
  }
}

function unsafe(message: string, path: string, cause?: unknown): SecureGateError {
  return new SecureGateError('key_file_unsafe', message, { cause, details: { path } });
}
