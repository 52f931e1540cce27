import { timingSafeEqual } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hash, verify } from '@node-rs/argon2';
import type { Database, Statement } from 'better-sqlite3';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { hashSecretText, newSecretText } from './secret-text.ts';

const TOKEN = /^(sga_[A-Za-z0-9_-]{21})[A-Za-z0-9_-]{22}$/;

interface Stored {
  /** SHA-256 of the token's first half. */
  readonly half: Buffer;
  /** Argon2id of the whole token. */
  readonly hash: string;
}

/**
 * The one credential of whoever runs the box: its Argon2id hash stays here, the token itself is in a file that is written once.
 * Argon2id is made to be slow. So that strangers who try tokens cannot take time from the cameras with it, only a token whose
 * first half is right is put to it: 126 random bits that nobody finds by trying.
 */
export class AdminCredential {
  readonly #stored: Statement<[], Stored>;
  readonly #insert: Statement<[Buffer, string]>;
  /** Of the token that was right last time: a dashboard asks every second. */
  #known: Buffer | undefined;

  constructor(database: Database) {
    this.#stored = database.prepare('SELECT half, hash FROM admin');
    this.#insert = database.prepare('INSERT INTO admin (one, half, hash) VALUES (1, ?, ?)');
  }

  /**
   * At the first start: makes the token and writes it to a file of mode 0600, for the operator to read and remove.
   * @returns whether a token was made now
   * @throws {SecureGateError} `storage_failed`
   */
  async ensure(tokenFile: string): Promise<boolean> {
    if (this.#stored.get() !== undefined) return false;
    const token = `sga_${newSecretText()}`;
    // The file comes first: if the power fails in between, the next start writes it anew; the other way round nobody could log in.
    writeTokenFile(tokenFile, token);
    this.#insert.run(hashSecretText(firstHalf(token)), await hash(token));
    return true;
  }

  /** Takes tens of milliseconds and 19 MiB of memory the first time that it is right. */
  async verify(token: string): Promise<boolean> {
    if (!TOKEN.test(token)) return false;
    const digest = hashSecretText(token);
    if (this.#known !== undefined && timingSafeEqual(this.#known, digest)) return true;
    const stored = this.#stored.get();
    if (stored === undefined || !timingSafeEqual(stored.half, hashSecretText(firstHalf(token)))) return false;
    if (!(await verify(stored.hash, token))) return false;
    this.#known = digest;
    return true;
  }
}

function firstHalf(token: string): string {
  return TOKEN.exec(token)?.[1] ?? '';
}

function writeTokenFile(path: string, token: string): void {
  const draft = `${path}.new`;
  try {
    rmSync(draft, { force: true });
    const fd = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(fd, `${token}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, path);
  } catch (error) {
    throw new SecureGateError('storage_failed', 'The admin token cannot be written', { cause: error, details: { tokenFile: path } });
  }
}
