import type { Database, Statement } from 'better-sqlite3';
import type { IdempotencyResult, IdempotencyResults } from '../../shared/http/idempotency.ts';
import type { Clock } from '../runtime/clock.ts';

const KEPT_MS = 24 * 3_600_000;

interface Row {
  readonly content: Buffer;
  readonly result: string;
  readonly settled: number;
}

/** What requests with an idempotency key make, for a day: written down before it is made, settled when it is there. */
export class StoredIdempotencyResults implements IdempotencyResults {
  readonly #clock: Clock;
  readonly #insert: Statement<[Buffer, Buffer, string, number]>;
  readonly #find: Statement<[Buffer, number], Row>;
  readonly #settle: Statement<[Buffer]>;
  readonly #remove: Statement<[Buffer]>;
  readonly #sweep: Statement<[number]>;

  constructor(database: Database, clock: Clock) {
    this.#clock = clock;
    this.#insert = database.prepare('INSERT INTO idempotency (request, content, result, expires_at, settled) VALUES (?, ?, ?, ?, 0)');
    this.#find = database.prepare('SELECT content, result, settled FROM idempotency WHERE request = ? AND expires_at > ?');
    this.#settle = database.prepare('UPDATE idempotency SET settled = 1 WHERE request = ?');
    this.#remove = database.prepare('DELETE FROM idempotency WHERE request = ?');
    this.#sweep = database.prepare('DELETE FROM idempotency WHERE expires_at <= ?');
  }

  /** @param request hash of who asked for what under which key */
  find(request: Buffer): IdempotencyResult | undefined {
    const row = this.#find.get(request, this.#clock.now());
    return row && { ...row, settled: row.settled === 1 };
  }

  /** Says under which id the request makes something; on the disk when it returns. */
  reserve(request: Buffer, { content, result }: Omit<IdempotencyResult, 'settled'>): void {
    const now = this.#clock.now();
    this.#sweep.run(now);
    this.#insert.run(request, content, result, now + KEPT_MS);
  }

  repeat(): void {
    // There is no other process that could release it.
  }

  /** It is made. */
  settle(request: Buffer): void {
    this.#settle.run(request);
  }

  /** Nothing was made: the key is free again. */
  release(request: Buffer): void {
    this.#remove.run(request);
  }
}
