import type { Kysely } from 'kysely';
import type { AuditEntry } from '../../shared/audit/audit-entry.ts';
import { Gathered } from '../../shared/runtime/gathered.ts';
import type { Database } from '../store/database.ts';
import { type AppendOptions, appendEntries } from './append-entries.ts';
import type { Audit } from './audit.ts';

/** Entries that are logged together. */
const MOST_TOGETHER = 64;

export interface AuditLogOptions extends AppendOptions {
  readonly db: Kysely<Database>;
}

/** An entry, and its place in the log. */
export interface LoggedEntry extends AuditEntry {
  readonly position: number;
  readonly leaf: number;
  readonly loggedAt: number;
  /** Base64url. */
  readonly salt: string;
}

/** The audit as a log that nobody can rewrite unseen. What comes while another transaction is under way is logged together. */
export class AuditLog implements Audit {
  readonly #options: AuditLogOptions;
  readonly #entries: Gathered<AuditEntry, undefined>;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#entries = new Gathered({ work: (entries) => this.#append(entries), most: MOST_TOGETHER, atOnce: 1 });
  }

  async record(entry: AuditEntry): Promise<void> {
    await this.#entries.run(entry);
  }

  /** Records entries together with what they are about. @param db the transaction of that */
  async recordWithin(db: Kysely<Database>, ...entries: readonly AuditEntry[]): Promise<void> {
    if (entries.length > 0) await appendEntries(db, entries, this.#options);
  }

  /** What is about an org, the newest first. `before`: position of the last entry of the page before. */
  async list(org: string, { before, limit }: { before?: number | undefined; limit: number }): Promise<LoggedEntry[]> {
    let query = this.#options.db.selectFrom('audit').selectAll().where('org', '=', org).orderBy('position', 'desc').limit(limit);
    if (before !== undefined) query = query.where('position', '<', before);
    return (await query.execute()).map(({ logged_at: loggedAt, ...entry }) => ({ ...entry, loggedAt }));
  }

  async #append(entries: readonly AuditEntry[]): Promise<undefined[]> {
    const { db } = this.#options;
    await db.transaction().execute((within) => appendEntries(within, entries, this.#options));
    return [];
  }
}
