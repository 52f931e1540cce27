import { timingSafeEqual } from 'node:crypto';
import type { Database, Statement } from 'better-sqlite3';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { newId } from '../../shared/ids/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import { hashSecretText, newSecretText } from './secret-text.ts';

/** `sgk_<environment>_<id without its prefix>_<secret>`: leaked keys are found by the form of their text. */
const KEY = /^sgk_live_([a-z2-7]{26})_[A-Za-z0-9_-]{43}$/;
const LAST_USED_EVERY_MS = 60_000;

export interface ApiKeyRecord {
  readonly id: string;
  readonly tenant: string;
  readonly title: string;
  readonly scopes: readonly string[];
  /** Milliseconds since the Unix epoch, as the others. */
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
}

interface Row {
  readonly id: string;
  readonly tenant: string;
  readonly hash: Buffer;
  readonly title: string;
  readonly scopes: string;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly last_used_at: number | null;
}

/** Keys of programs, each of one tenant. The key itself is shown at its making and kept nowhere. */
export class ApiKeys {
  readonly #clock: Clock;
  readonly #insert: Statement<[string, string, Buffer, string, string, number, number | null]>;
  readonly #list: Statement<[string], Row>;
  readonly #find: Statement<[string], Row>;
  readonly #revoke: Statement<[number, string, string]>;
  readonly #use: Statement<[number, string]>;
  readonly #remove: Statement<[string]>;

  constructor(database: Database, clock: Clock) {
    this.#clock = clock;
    this.#insert = database.prepare(
      'INSERT INTO api_keys (id, tenant, hash, title, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#list = database.prepare('SELECT * FROM api_keys WHERE tenant = ? ORDER BY created_at, id');
    this.#find = database.prepare('SELECT * FROM api_keys WHERE id = ?');
    this.#revoke = database.prepare('UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE tenant = ? AND id = ?');
    this.#remove = database.prepare('DELETE FROM api_keys WHERE tenant = ?');
    this.#use = database.prepare('UPDATE api_keys SET last_used_at = ? WHERE id = ?');
  }

  /** @returns the record and the key, which nobody can read back later */
  add(
    tenant: string,
    settings: { title: string; scopes: readonly string[]; expiresAt: number | null },
  ): { record: ApiKeyRecord; key: string } {
    const id = newId('apiKey');
    const key = `sgk_live_${id.slice(id.indexOf('_') + 1)}_${newSecretText()}`;
    const { title, scopes, expiresAt } = settings;
    const createdAt = this.#clock.now();
    this.#insert.run(id, tenant, hashSecretText(key), title, JSON.stringify(scopes), createdAt, expiresAt);
    return { record: { id, tenant, title, scopes, createdAt, expiresAt, revokedAt: null, lastUsedAt: null }, key };
  }

  list(tenant: string): ApiKeyRecord[] {
    return this.#list.all(tenant).map(recordOf);
  }

  /** From now on the key opens nothing. @throws {SecureGateError} `record_not_found` */
  revoke(tenant: string, id: string): void {
    const { changes } = this.#revoke.run(this.#clock.now(), tenant, id);
    if (changes === 0) throw new SecureGateError('record_not_found', 'This tenant has no such key', { details: { keyId: id } });
  }

  /** Those of a tenant that is gone. */
  removeOf(tenant: string): void {
    this.#remove.run(tenant);
  }

  /** @returns whose key it is; undefined for one that is unknown, expired or revoked */
  authenticate(key: string): ApiKeyRecord | undefined {
    const random = KEY.exec(key)?.[1];
    const row = random === undefined ? undefined : this.#find.get(`key_${random}`);
    if (row === undefined || !timingSafeEqual(row.hash, hashSecretText(key))) return undefined;
    const now = this.#clock.now();
    if (row.revoked_at !== null || (row.expires_at !== null && now >= row.expires_at)) return undefined;
    if (row.last_used_at === null || now - row.last_used_at >= LAST_USED_EVERY_MS) this.#use.run(now, row.id);
    return recordOf(row);
  }
}

function recordOf(row: Row): ApiKeyRecord {
  return {
    id: row.id,
    tenant: row.tenant,
    title: row.title,
    scopes: JSON.parse(row.scopes) as string[],
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}
