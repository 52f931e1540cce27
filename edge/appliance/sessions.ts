import type { Database, Statement } from 'better-sqlite3';
import type { Clock } from '../runtime/clock.ts';
import { hashSecretText, newSecretText } from './secret-text.ts';

/** A shift at the desk; then the operator logs in again. */
const SESSION_MS = 12 * 3_600_000;

/** Browser sessions of the admin. The cookie's text is kept as a hash; a restart of the box ends no session. */
export class Sessions {
  readonly #clock: Clock;
  readonly #insert: Statement<[Buffer, number]>;
  readonly #find: Statement<[Buffer, number], { expires_at: number }>;
  readonly #remove: Statement<[Buffer]>;
  readonly #sweep: Statement<[number]>;

  constructor(database: Database, clock: Clock) {
    this.#clock = clock;
    this.#insert = database.prepare('INSERT INTO sessions (hash, expires_at) VALUES (?, ?)');
    this.#find = database.prepare('SELECT expires_at FROM sessions WHERE hash = ? AND expires_at > ?');
    this.#remove = database.prepare('DELETE FROM sessions WHERE hash = ?');
    this.#sweep = database.prepare('DELETE FROM sessions WHERE expires_at <= ?');
  }

  /** @returns the text of the cookie, and when it ends (milliseconds since the Unix epoch) */
  open(): { session: string; expiresAt: number } {
    const now = this.#clock.now();
    this.#sweep.run(now);
    const session = newSecretText();
    const expiresAt = now + SESSION_MS;
    this.#insert.run(hashSecretText(session), expiresAt);
    return { session, expiresAt };
  }

  /** @returns when it ends; undefined for a session that is unknown or over */
  find(session: string): { expiresAt: number } | undefined {
    const row = this.#find.get(hashSecretText(session), this.#clock.now());
    return row && { expiresAt: row.expires_at };
  }

  close(session: string): void {
    this.#remove.run(hashSecretText(session));
  }
}
