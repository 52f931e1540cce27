import type Database from 'better-sqlite3';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { type AdminSet, adminSetSchema, type SignedSet, signedSetSchema } from '../../../shared/lease/admin-set.ts';

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

  /** Every set as it was signed, the first one first; those are missing that were pinned before signatures were kept. */
  signed(org: string): SignedSet[] {
    return this.#database
      .prepare<[string], { signed: string }>('SELECT signed FROM admin_set_signatures WHERE org = ? ORDER BY version')
      .all(org)
      .map((row) => signedSetSchema.parse(JSON.parse(row.signed)));
  }

  /** To be called in one piece with what belongs to it. */
  add(set: AdminSet, signed: SignedSet, now: number): void {
    this.#database
      .prepare<[string, number, string]>('INSERT INTO admin_set_signatures (org, version, signed) VALUES (?, ?, ?)')
      .run(set.org, set.version, JSON.stringify(signed));
    this.#database
      .prepare<[string, number, string, number]>('INSERT INTO admin_sets (org, version, content, pinned_at) VALUES (?, ?, ?, ?)')
      .run(set.org, set.version, JSON.stringify(set), now);
  }
}
