import type { Database, Statement } from 'better-sqlite3';
import type { Clock } from '../runtime/clock.ts';
import { hashSecretText, newSecretText } from './secret-text.ts';

const LINK_MS = 10 * 60_000;

/** Links that log the admin in once, for whoever stands at the box's terminal. */
export class LoginLinks {
  readonly #clock: Clock;
  readonly #insert: Statement<[Buffer, number]>;
  readonly #take: Statement<[Buffer], { expires_at: number }>;
  readonly #sweep: Statement<[number]>;

  constructor(database: Database, clock: Clock) {
    this.#clock = clock;
    this.#insert = database.prepare('INSERT INTO login_links (hash, expires_at) VALUES (?, ?)');
    this.#take = database.prepare('DELETE FROM login_links WHERE hash = ? RETURNING expires_at');
    this.#sweep = database.prepare('DELETE FROM login_links WHERE expires_at <= ?');
  }

  /**
   * @returns the secret of the link, which belongs into the fragment of a URL, where no server ever sees it; and when it ends
   * (milliseconds since the Unix epoch), ten minutes from now
   */
  add(): { link: string; expiresAt: number } {
    const now = this.#clock.now();
    this.#sweep.run(now);
    const link = newSecretText();
    const expiresAt = now + LINK_MS;
    this.#insert.run(hashSecretText(link), expiresAt);
    return { link, expiresAt };
  }

  /** Uses the link up. @returns whether it was good */
  take(link: string): boolean {
    const row = this.#take.get(hashSecretText(link));
    return row !== undefined && row.expires_at > this.#clock.now();
  }
}
