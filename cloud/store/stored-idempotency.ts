import type { Kysely } from 'kysely';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { IdempotencyResult, IdempotencyResults } from '../../shared/http/idempotency.ts';
import type { Database } from './database.ts';
import { isUniqueViolation } from './is-unique-violation.ts';

const KEPT_MS = 24 * 3_600_000;
/** What `settled` says: one request works on it; it is made; more than one have worked on it. */
const [RESERVED, SETTLED, REPEATED] = [0, 1, 2];

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
    return row && { content: Buffer.from(row.content, 'base64url'), result: row.result, settled: row.settled === SETTLED };
  }

  async reserve(request: Buffer, { content, result }: Omit<IdempotencyResult, 'settled'>): Promise<void> {
    const now = this.#now();
    await this.#db.deleteFrom('idempotency').where('expires_at', '<=', now).execute();
    try {
      await this.#db
        .insertInto('idempotency')
        .values({
          request: request.toString('base64url'),
          content: content.toString('base64url'),
          ...{ result, settled: RESERVED, expires_at: now + KEPT_MS },
        })
        .execute();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw underWay(error);
    }
  }

  async repeat(request: Buffer, result: string): Promise<void> {
    const { numUpdatedRows } = await this.#db
      .updateTable('idempotency')
      .set({ settled: REPEATED })
      .where('request', '=', request.toString('base64url'))
      .where('result', '=', result)
      .where('settled', '!=', SETTLED)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw underWay();
  }

  async settle(request: Buffer): Promise<void> {
    await this.#db.updateTable('idempotency').set({ settled: SETTLED }).where('request', '=', request.toString('base64url')).execute();
  }

  async release(request: Buffer): Promise<void> {
    await this.#db.deleteFrom('idempotency').where('request', '=', request.toString('base64url')).where('settled', '=', RESERVED).execute();
  }
}

function underWay(cause?: unknown): SecureGateError {
  return new SecureGateError('conflict', 'The first request with this key is still being worked on', { cause });
}
