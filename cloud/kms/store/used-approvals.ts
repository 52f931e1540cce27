import type Database from 'better-sqlite3';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** Approvals of requests without a challenge, and recoveries of tenants, that were used, for ever: each counts once. */
export class UsedApprovals {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** @throws {SecureGateError} `approval_used` */
  requireUnused({ org, id }: { org: string; id: string }): void {
    if (this.#database.prepare<[string, string]>('SELECT 1 FROM used_approvals WHERE org = ? AND id = ?').get(org, id) !== undefined) {
      throw used(id);
    }
  }

  /** @throws {SecureGateError} `approval_used` */
  use({ org, id }: { org: string; id: string }, now: number): void {
    const { changes } = this.#database
      .prepare<[string, string, number]>('INSERT INTO used_approvals (org, id, used_at) VALUES (?, ?, ?) ON CONFLICT (org, id) DO NOTHING')
      .run(org, id, now);
    if (changes === 0) throw used(id);
  }
}

function used(id: string): SecureGateError {
  return new SecureGateError('approval_used', 'This approval was used before', { details: { id } });
}
