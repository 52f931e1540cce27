import { randomBytes } from 'node:crypto';
import { closeSync, constants, existsSync, fstatSync, mkdirSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { writeFileDurably } from '../store/write-file-durably.ts';
import type { KeySource } from './key-source.ts';

/** A stand-alone box has one key for each tenant, and so one epoch. */
const EPOCH = 1;
const KEY_BYTES = 32;

export interface StandaloneKeySourceOptions {
  readonly keyDir: string;
  /** Must exist. The key folder must not lie in it: then a copy of the data would carry its own key. */
  readonly dataDir: string;
  readonly tenant: string;
}

/**
 * The key of a tenant on a box without a cloud: `<keyDir>/<tenant>.key`, 32 random bytes, mode 0600.
 * It protects a copy of the data folder, not a copy of the whole disk.
 */
export class StandaloneKeySource implements KeySource {
  readonly #options: StandaloneKeySourceOptions;

  constructor(options: StandaloneKeySourceOptions) {
    this.#options = options;
  }

  /** Makes the key file, durably, unless it is there. */
  async provision(): Promise<number> {
    mkdirSync(this.#options.keyDir, { recursive: true, mode: 0o700 });
    const path = this.#path();
    if (!existsSync(path)) {
      const key = randomBytes(KEY_BYTES);
      try {
        writeFileDurably(path, key);
      } finally {
        key.fill(0);
      }
    }
    return EPOCH;
  }

  async open(epoch: number): Promise<Buffer> {
    if (epoch !== EPOCH) {
      throw new SecureGateError('key_rejected', 'This box holds no key of that epoch', { details: { epoch } });
    }
    return readKeyFile(this.#path());
  }

  /** Path of the key file in its folder's real place. */
  #path(): string {
    const { keyDir, dataDir, tenant } = this.#options;
    if (!existsSync(keyDir)) throw new SecureGateError('key_file_missing', 'The key folder is not there', { details: { keyDir } });
    const folder = realpathSync(keyDir);
    const data = realpathSync(dataDir);
    if (folder === data || folder.startsWith(data.endsWith(sep) ? data : data + sep))
      throw unsafe('The key folder lies in the data folder', folder);
    const { mode, uid } = statSync(folder);
    if ((mode & 0o022) !== 0) throw unsafe('Others may write to the key folder', folder);
    if (uid !== process.getuid?.()) throw unsafe('The key folder belongs to another user', folder);
    return join(folder, `${tenant}.key`);
  }
}

/** Every check is made on the open file, so that nobody can exchange it between check and use. */
function readKeyFile(path: string): Buffer {
  const fd = openKeyFile(path);
  try {
    const { mode, uid, nlink, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw unsafe('The key file is not a regular file', path);
    if ((mode & 0o177) !== 0) throw unsafe('The key file is open to others', path);
    if (uid !== process.getuid?.()) throw unsafe('The key file belongs to another user', path);
    // A second name of the file could lie in the data folder.
    if (nlink !== 1) throw unsafe('The key file has a second name', path);
    if (size !== KEY_BYTES) throw new SecureGateError('key_rejected', 'The key file does not hold a key', { details: { path, size } });
    const key = Buffer.alloc(KEY_BYTES);
    readSync(fd, key, 0, KEY_BYTES, 0);
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
    if (code === 'ENOENT')
      throw new SecureGateError('key_file_missing', 'The key file of this tenant is not there', { cause, details: { path } });
    if (code === 'ELOOP') throw unsafe('The key file is a symbolic link', path, cause);
    throw unsafe('The key file cannot be opened', path, cause);
  }
}

function unsafe(message: string, path: string, cause?: unknown): SecureGateError {
  return new SecureGateError('key_file_unsafe', message, { cause, details: { path } });
}
