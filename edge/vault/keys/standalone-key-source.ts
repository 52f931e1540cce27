import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { destroyFile } from '../../runtime/destroy-file.ts';
import { readKeyFile } from '../../runtime/read-key-file.ts';
import { syncFolder } from '../../runtime/sync-folder.ts';
import { writeFileDurably } from '../../runtime/write-file-durably.ts';
import { keyFolder } from './key-folder.ts';
import type { KeySource } from './key-source.ts';

const FIRST_EPOCH = 1;
const KEY_BYTES = 32;

export interface StandaloneKeySourceOptions {
  readonly keyDir: string;
  /** Must exist. The key folder must not lie in it: then a copy of the data would carry its own key. */
  readonly dataDir: string;
  readonly tenant: string;
}

/**
 * The key of a tenant on a box without a cloud: `<keyDir>/<tenant>.key`, from the second epoch on `<tenant>.2.key` and so forth;
 * 32 random bytes, mode 0600. It protects a copy of the data folder, not a copy of the whole disk.
 */
export class StandaloneKeySource implements KeySource {
  readonly #options: StandaloneKeySourceOptions;

  constructor(options: StandaloneKeySourceOptions) {
    this.#options = options;
  }

  /** Makes the key file, durably, unless there is one. */
  async provision(): Promise<number> {
    mkdirSync(this.#options.keyDir, { recursive: true, mode: 0o700 });
    const newest = this.#epochs(this.#folder()).at(-1);
    if (newest !== undefined) return newest;
    return await this.prepare(FIRST_EPOCH);
  }

  async open(epoch: number): Promise<Buffer> {
    const folder = this.#folder();
    const path = this.#path(folder, epoch);
    const others = this.#epochs(folder);
    if (others.length > 0 && !others.includes(epoch)) {
      throw new SecureGateError('key_rejected', 'This box holds no key of that epoch', { details: { epoch, path } });
    }
    const key = readKeyFile(path);
    if (key.length === KEY_BYTES) return key;
    key.fill(0);
    throw new SecureGateError('key_rejected', 'The key file does not hold a key', { details: { path, size: key.length } });
  }

  async prepare(epoch: number): Promise<number> {
    const path = this.#path(this.#folder(), epoch);
    if (existsSync(path)) return epoch;
    const key = randomBytes(KEY_BYTES);
    try {
      writeFileDurably(path, key);
      return epoch;
    } finally {
      key.fill(0);
    }
  }

  /** Overwrites the older key files and removes them (destroy-file.ts says how far that goes). */
  async retire(before: number): Promise<void> {
    const folder = this.#folder();
    const old = this.#epochs(folder).filter((epoch) => epoch < before);
    for (const epoch of old) destroyFile(this.#path(folder, epoch));
    if (old.length > 0) syncFolder(folder);
  }

  /** The epochs whose key files are there, the first first. */
  #epochs(folder: string): number[] {
    const name = new RegExp(`^${this.#options.tenant}(?:\\.([1-9][0-9]*))?\\.key$`);
    return readdirSync(folder)
      .flatMap((file) => {
        const match = name.exec(file);
        return match ? [Number(match[1] ?? FIRST_EPOCH)] : [];
      })
      .sort((a, b) => a - b);
  }

  #path(folder: string, epoch: number): string {
    const { tenant } = this.#options;
    return join(folder, epoch === FIRST_EPOCH ? `${tenant}.key` : `${tenant}.${epoch}.key`);
  }

  /** The key folder's real place. */
  #folder(): string {
    const { keyDir, dataDir } = this.#options;
    return keyFolder(keyDir, dataDir);
  }
}
