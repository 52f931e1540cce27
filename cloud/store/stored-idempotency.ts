import type { Kysely } from 'kysely';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { IdempotencyResult, IdempotencyResults } from '../../shared/http/idempotency.ts';
import type { Database } from './database.ts';
import { isUniqueViolation } from './is-unique-violation.ts';

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
    await this.#db.deleteFrom('idempotency').where('expires_at', '<=', this.#now()).execute();
    try {
      await this.#db
        .insertInto('idempotency')
        .values({ ...this.#row(request, { content, result }), settled: 0 })
        .execute();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new SecureGateError('conflict', 'The first request with this key is still being worked on', { cause: error });
    }
  }

  /** Also where another process has released the key, because what this one made was in its way. */
  async settle(request: Buffer, made: Omit<IdempotencyResult, 'settled'>): Promise<void> {
    await this.#db
      .insertInto('idempotency')
      .values({ ...this.#row(request, made), settled: 1 })
      .onConflict((conflict) => conflict.column('request').doUpdateSet({ settled: 1 }))
      .execute();
  }

  async release(request: Buffer): Promise<void> {
    await this.#db.deleteFrom('idempotency').where('request', '=', request.toString('base64url')).where('settled', '=', 0).execute();
  }

  #row(request: Buffer, { content, result }: Omit<IdempotencyResult, 'settled'>) {
    const expires_at = this.#now() + KEPT_MS;
    return { request: request.toString('base64url'), content: content.toString('base64url'), result, expires_at };
  }
}
