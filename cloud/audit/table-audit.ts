import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import type { Audit, AuditEntry } from './audit.ts';

export interface StoredAuditEntry extends AuditEntry {
  readonly position: number;
}

/** The log as a table of the control plane's database, which takes new rows alone. */
export class TableAudit implements Audit {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async record(entry: AuditEntry): Promise<void> {
    await this.#db.insertInto('audit').values(entry).execute();
  }

  /** What is about an org, the newest first. `before`: position of the last entry of the page before. */
  async list(org: string, { before, limit }: { before?: number | undefined; limit: number }): Promise<StoredAuditEntry[]> {
    let query = this.#db.selectFrom('audit').selectAll().where('org', '=', org).orderBy('position', 'desc').limit(limit);
    if (before !== undefined) query = query.where('position', '<', before);
    return await query.execute();
  }
}
