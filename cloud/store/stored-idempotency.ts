import type { Kysely } from 'kysely';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { IdempotencyResult, IdempotencyResults } from '../../shared/http/idempotency.ts';
import type { Database } from './database.ts';
import { isUniqueViolation } from './is-unique-violation.ts';

const KEPT_MS = 24 * 3_600_000;
/** How long a process that was killed keeps others from the request that it was about; longer than any request takes. */
const OWNED_MS = 60_000;

export interface StoredIdempotencyOptions {
  /** This process, by a name that no other has. */
  readonly owner: string;
  readonly now: () => number;
}

/** What requests with an idempotency key made, for a day. One process at a time is about a request. */
export class StoredIdempotency implements IdempotencyResults {
  readonly #db: Kysely<Database>;
  readonly #owner: string;
  readonly #now: () => number;

  constructor(db: Kysely<Database>, { owner, now }: StoredIdempotencyOptions) {
    this.#db = db;
    this.#owner = owner;
    this.#now = now;
  }

  /** @throws {SecureGateError} `conflict` when another process is about this request */
  async find(request: Buffer): Promise<IdempotencyResult | undefined> {
    const row = await this.#db
      .selectFrom('idempotency')
      .select(['content', 'result', 'settled'])
      .where('request', '=', request.toString('base64url'))
      .where('expires_at', '>', this.#now())
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const settled = row.settled === 1;
    if (!settled) await this.#takeOver(request);
    return { content: Buffer.from(row.content, 'base64url'), result: row.result, settled };
  }

  /** @throws {SecureGateError} `conflict` when another process was first by a moment */
  async reserve(request: Buffer, { content, result }: Omit<IdempotencyResult, 'settled'>): Promise<void> {
    const now = this.#now();
    await this.#db.deleteFrom('idempotency').where('expires_at', '<=', now).execute();
    const row = { request: request.toString('base64url'), content: content.toString('base64url'), result, settled: 0 };
    try {
      await this.#db
        .insertInto('idempotency')
        .values({ ...row, expires_at: now + KEPT_MS, owner: this.#owner, owned_until: now + OWNED_MS })
        .execute();
    } catch (error) {
      throw isUniqueViolation(error) ? beingWorkedOn(error) : error;
    }
  }

  async settle(request: Buffer): Promise<void> {
    await this.#db.updateTable('idempotency').set({ settled: 1 }).where('request', '=', request.toString('base64url')).execute();
  }

  async release(request: Buffer): Promise<void> {
    await this.#db.deleteFrom('idempotency').where('request', '=', request.toString('base64url')).execute();
  }

  async #takeOver(request: Buffer): Promise<void> {
    const now = this.#now();
    const { numUpdatedRows } = await this.#db
      .updateTable('idempotency')
      .set({ owner: this.#owner, owned_until: now + OWNED_MS })
      .where('request', '=', request.toString('base64url'))
      .where('settled', '=', 0)
      .where((where) => where.or([where('owner', '=', this.#owner), where('owned_until', '<=', now)]))
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw beingWorkedOn();
  }
}

function beingWorkedOn(cause?: unknown): SecureGateError {
  return new SecureGateError('conflict', 'The first request with this key is still being worked on', { cause });
}
