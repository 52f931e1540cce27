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
 * The one credential of whoever runs the box: its Argon2id hash stays here, the token itself is in a file that is written when it
 * is made. Argon2id is made to be slow. So that strangers who try tokens cannot take time from the cameras with it, only a token
 * whose first half is right is put to it: 126 random bits that nobody finds by trying.
 */
export class AdminCredential {
  readonly #stored: Statement<[], Stored>;
  readonly #insert: Statement<[Stored]>;
  readonly #replace: (made: Stored) => { sessions: number; loginLinks: number };
  /** Of the token that was right last time: a dashboard asks every second. */
  #known: Buffer | undefined;

  constructor(database: Database) {
    this.#stored = database.prepare('SELECT half, hash FROM admin');
    this.#insert = database.prepare('INSERT INTO admin (one, half, hash) VALUES (1, @half, @hash)');
    const remove = database.prepare('DELETE FROM admin');
    const endSessions = database.prepare('DELETE FROM sessions');
    const endLinks = database.prepare('DELETE FROM login_links');
    this.#replace = database.transaction((made: Stored) => {
      remove.run();
      this.#insert.run(made);
      return { sessions: endSessions.run().changes, loginLinks: endLinks.run().changes };
    });
  }

  /**
   * At the first start: makes the token and writes it to a file of mode 0600, for the operator to read and remove.
   * @returns whether a token was made now
   * @throws {SecureGateError} `storage_failed`
   */
  async ensure(tokenFile: string): Promise<boolean> {
    if (this.#stored.get() !== undefined) return false;
    // The file comes first: if the power fails in between, the next start writes it anew; the other way round nobody could log in.
    this.#insert.run(await storedOf(writeToken(tokenFile)));
    return true;
  }

  /**
   * Makes another token, for an operator who has lost his. The earlier one, all sessions and login links open nothing any more.
   * @returns how many of these ended
   * @throws {SecureGateError} `storage_failed`
   */
  async reset(tokenFile: string): Promise<{ sessions: number; loginLinks: number }> {
    const ended = this.#replace(await storedOf(writeToken(tokenFile)));
    this.#known = undefined;
    return ended;
  }

  /** Takes tens of milliseconds and 19 MiB of memory the first time that it is right. */
  async verify(token: string): Promise<boolean> {
    if (!TOKEN.test(token)) return false;
    const digest = hashSecretText(token);
    if (this.#known !== undefined && timingSafeEqual(this.#known, digest)) return true;
    const stored = this.#stored.get();
    if (stored === undefined || !timingSafeEqual(stored.half, hashOfHalf(token))) return false;
    if (!(await verify(stored.hash, token))) return false;
    this.#known = digest;
    return true;
  }
}

async function storedOf(token: string): Promise<Stored> {
  return { half: hashOfHalf(token), hash: await hash(token) };
}

function hashOfHalf(token: string): Buffer {
  return hashSecretText(TOKEN.exec(token)?.[1] ?? '');
}

/** @returns the token that the file holds now */
function writeToken(path: string): string {
  const token = `sga_${newSecretText()}`;
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
    return token;
  } catch (error) {
    throw new SecureGateError('storage_failed', 'The admin token cannot be written', { cause: error, details: { tokenFile: path } });
  }
}
