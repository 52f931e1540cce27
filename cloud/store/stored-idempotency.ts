import type { Kysely } from 'kysely';
import type { IdempotencyResult, IdempotencyResults } from '../../shared/http/idempotency.ts';
import type { Database } from './database.ts';

const KEPT_MS = 24 * 3_600_000;

/** What requests with an idempotency key made, for a day. */
export class StoredIdempotency implements IdempotencyResults {
  readonly #db: Kysely<Database>;
  readonly #now: () => number;

  constructor(db: Kysely<Database>, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  async find(request: Buffer): Promise<IdempotencyResult | undefined> {
    const row = await this.#db
      .selectFrom('idempotency')
      .select(['content', 'result', 'settled'])
      .where('request', '=', request.toString('base64url'))
      .where('expires_at', '>', this.#now())
      .executeTakeFirst();
    return row && { content: Buffer.from(row.content, 'base64url'), result: row.result, settled: row.settled === 1 };
  }

  async reserve(request: Buffer, { content, result }: Omit<IdempotencyResult, 'settled'>): Promise<void> {
    const now = this.#now();
    await this.#db.deleteFrom('idempotency').where('expires_at', '<=', now).execute();
    const row = { request: request.toString('base64url'), content: content.toString('base64url'), result, settled: 0 };
    await this.#db
      .insertInto('idempotency')
      .values({ ...row, expires_at: now + KEPT_MS })
      .execute();
  }

  async settle(request: Buffer): Promise<void> {
    await this.#db.updateTable('idempotency').set({ settled: 1 }).where('request', '=', request.toString('base64url')).execute();
  }

  async release(request: Buffer): Promise<void> {
    await this.#db.deleteFrom('idempotency').where('request', '=', request.toString('base64url')).execute();
  }
}
