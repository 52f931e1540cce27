import type Database from 'better-sqlite3';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { type AdminSet, adminSetSchema } from '../../../shared/lease/admin-set.ts';

/** The admin keys that are pinned for each org, in all their versions. */
export class AdminSetRecords {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** The set that counts now. */
  find(org: string): AdminSet | undefined {
    const row = this.#database
      .prepare<[string], { content: string }>('SELECT content FROM admin_sets WHERE org = ? ORDER BY version DESC LIMIT 1')
      .get(org);
    return row && adminSetSchema.parse(JSON.parse(row.content));
  }

  /** @throws {SecureGateError} `admins_missing` */
  get(org: string): AdminSet {
    const set = this.find(org);
    if (!set) throw new SecureGateError('admins_missing', 'No admin keys are pinned for this org', { details: { org } });
    return set;
  }

  add(set: AdminSet, now: number): void {
    this.#database
      .prepare<[string, number, string, number]>('INSERT INTO admin_sets (org, version, content, pinned_at) VALUES (?, ?, ?, ?)')
      .run(set.org, set.version, JSON.stringify(set), now);
  }
}
