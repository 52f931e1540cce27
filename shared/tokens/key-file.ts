import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';
import { isMissing } from '../errors/is-missing.ts';
import { SecureGateError } from '../errors/securegate-error.ts';
import { issuerKeySchema } from './fetch-keys.ts';

const contentSchema = z.strictObject({
  issuer: z.string(),
  keysUrl: z.string(),
  fetchedAt: z.int(),
  keys: z.array(issuerKeySchema).min(1),
});

/** Keys of an issuer, and when they were fetched (milliseconds since the Unix epoch). */
export interface FetchedKeys {
  readonly fetchedAt: number;
  readonly keys: JSONWebKeySet;
}

/** The keys of an issuer on the disk, for when it is away. Nobody has signed them: they are worth what the file's rights are. */
export class KeyFile {
  readonly #path: string;
  readonly #issuer: { readonly issuer: string; readonly keysUrl: string };

  constructor(path: string, { issuer, keysUrl }: { readonly issuer: string; readonly keysUrl: string }) {
    this.#path = path;
    this.#issuer = { issuer, keysUrl };
  }

  /**
   * @returns undefined where none of this issuer were kept
   * @throws {SecureGateError} `file_unreadable` (damaged, or somebody else could have written it)
   */
  read(): FetchedKeys | undefined {
    try {
      const { issuer, keysUrl, fetchedAt, keys } = contentSchema.parse(JSON.parse(this.#readOwn()));
      return issuer === this.#issuer.issuer && keysUrl === this.#issuer.keysUrl ? { fetchedAt, keys: { keys } } : undefined;
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw new SecureGateError('file_unreadable', 'The kept keys of the issuer do not count', { cause, details: { file: this.#path } });
    }
  }

  write({ fetchedAt, keys }: FetchedKeys): void {
    // Several processes may keep the same one.
    const draft = `${this.#path}.${process.pid}`;
    writeFileSync(draft, JSON.stringify({ ...this.#issuer, fetchedAt, keys: keys.keys }), { mode: 0o600 });
    renameSync(draft, this.#path);
  }

  #readOwn(): string {
    const fd = openSync(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { mode, uid } = fstatSync(fd);
      if ((mode & 0o077) !== 0 || uid !== process.getuid?.()) throw new Error('the file is not for its owner alone');
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  }
}
