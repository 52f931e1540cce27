import type Database from 'better-sqlite3';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/**
 * Tenants whose keys are given to nobody for now. Each freeze has the id of the order that it belongs to, and counts once: one that was
 * ended does not begin again, whoever says it late.
 */
export class Freezes {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** @returns when it began, milliseconds since the Unix epoch @throws {SecureGateError} `conflict` (it was ended) */
  begin(org: string, tenant: string, id: string, now: number): number {
    this.#insert(org, tenant, id, now, null);
    const freeze = this.#database
      .prepare<[string, string, string], { begun_at: number; ended_at: number | null }>(
        'SELECT begun_at, ended_at FROM freezes WHERE org = ? AND tenant = ? AND id = ?',
      )
      .get(org, tenant, id);
    if (freeze === undefined || freeze.ended_at !== null) {
      throw new SecureGateError('conflict', 'This freeze was ended', { details: { org, tenant, id } });
    }
    return freeze.begun_at;
  }

  /** Ends it, also one that has not begun. */
  end(org: string, tenant: string, id: string, now: number): void {
    this.#insert(org, tenant, id, now, now);
    this.#database
      .prepare<[number, string, string, string]>(
        'UPDATE freezes SET ended_at = ? WHERE org = ? AND tenant = ? AND id = ? AND ended_at IS NULL',
      )
      .run(now, org, tenant, id);
  }

  /** @throws {SecureGateError} `tenant_frozen` */
  requireNone(org: string, tenant: string): void {
    const frozen = this.#database
      .prepare<[string, string]>('SELECT 1 FROM freezes WHERE org = ? AND tenant = ? AND ended_at IS NULL')
      .get(org, tenant);
    if (frozen !== undefined)
      throw new SecureGateError('tenant_frozen', 'This tenant is about to be shredded', { details: { org, tenant } });
  }

  #insert(org: string, tenant: string, id: string, begunAt: number, endedAt: number | null): void {
    this.#database
      .prepare<[string, string, string, number, number | null]>(
        'INSERT INTO freezes (org, tenant, id, begun_at, ended_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (org, tenant, id) DO NOTHING',
      )
      .run(org, tenant, id, begunAt, endedAt);
  }
}
