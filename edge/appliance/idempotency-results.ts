import type { Database, Statement } from 'better-sqlite3';
import type { Clock } from '../runtime/clock.ts';

const KEPT_MS = 24 * 3_600_000;

export interface IdempotencyResult {
  /** Keyed hash of the request's content. */
  readonly content: Buffer;
  /** Id of what was made; nothing else of it. */
  readonly result: string;
}

/** What requests with an idempotency key have made, for a day. */
export class IdempotencyResults {
  readonly #clock: Clock;
  readonly #insert: Statement<[Buffer, Buffer, string, number]>;
  readonly #find: Statement<[Buffer, number], IdempotencyResult>;
  readonly #sweep: Statement<[number]>;

  constructor(database: Database, clock: Clock) {
    this.#clock = clock;
    this.#insert = database.prepare('INSERT INTO idempotency (request, content, result, expires_at) VALUES (?, ?, ?, ?)');
    this.#find = database.prepare('SELECT content, result FROM idempotency WHERE request = ? AND expires_at > ?');
    this.#sweep = database.prepare('DELETE FROM idempotency WHERE expires_at <= ?');
  }

  /** @param request hash of who asked for what under which key */
  find(request: Buffer): IdempotencyResult | undefined {
    return this.#find.get(request, this.#clock.now());
  }

  keep(request: Buffer, { content, result }: IdempotencyResult): void {
    const now = this.#clock.now();
    this.#sweep.run(now);
    this.#insert.run(request, content, result, now + KEPT_MS);
  }
}
