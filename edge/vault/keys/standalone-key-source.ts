import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { writeFileDurably } from '../store/write-file-durably.ts';
import { keyFolder } from './key-folder.ts';
import type { KeySource } from './key-source.ts';
import { readKeyFile } from './read-key-file.ts';

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
    const path = this.#path();
    const key = readKeyFile(path);
    if (key.length === KEY_BYTES) return key;
    key.fill(0);
    throw new SecureGateError('key_rejected', 'The key file does not hold a key', { details: { path, size: key.length } });
  }

  /** Path of the key file in its folder's real place. */
  #path(): string {
    const { keyDir, dataDir, tenant } = this.#options;
    return join(keyFolder(keyDir, dataDir), `${tenant}.key`);
  }
}
