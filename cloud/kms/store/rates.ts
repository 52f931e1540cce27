import type Database from 'better-sqlite3';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

const WINDOW_MS = 3_600_000;

/** Counts what is done for a subject in windows of an hour, on the disk: a restart does not give anybody a fresh hour. */
export class Rates {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /**
   * Counts one more. A clock that was set back does not open the window again.
   * @throws {SecureGateError} `rate_limited`, with the seconds until the next window
   */
  take(subject: string, most: number, now: number): void {
    const row = this.#database
      .prepare<[string], { startedAt: number; used: number }>('SELECT started_at AS startedAt, used FROM rate_windows WHERE subject = ?')
      .get(subject);
    if (row === undefined || now >= row.startedAt + WINDOW_MS) {
      this.#database
        .prepare<[string, number]>(
          'INSERT INTO rate_windows (subject, started_at, used) VALUES (?, ?, 1) ON CONFLICT (subject) DO UPDATE SET started_at = excluded.started_at, used = 1',
        )
        .run(subject, now);
      return;
    }
    if (row.used >= most) {
      const retryAfter = Math.ceil((row.startedAt + WINDOW_MS - now) / 1000);
      throw new SecureGateError('rate_limited', 'The KMS does this only so often in an hour', { details: { most, retryAfter } });
    }
    this.#database.prepare<[string]>('UPDATE rate_windows SET used = used + 1 WHERE subject = ?').run(subject);
  }
}
