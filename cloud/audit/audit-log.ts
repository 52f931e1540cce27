import type { Kysely } from 'kysely';
import type { AuditEntry } from '../../shared/audit/audit-entry.ts';
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

interface Waiting {
  readonly entry: AuditEntry;
  readonly done: PromiseWithResolvers<void>;
}

/** The audit as a log that nobody can rewrite unseen. What comes while another transaction is under way is logged together. */
export class AuditLog implements Audit {
  readonly #options: AuditLogOptions;
  #waiting: Waiting[] = [];
  #isAtWork = false;

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  async record(entry: AuditEntry): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ entry, done });
    if (!this.#isAtWork) void this.#work();
    await done.promise;
  }

  /** Records an entry together with what it is about. @param db the transaction of that */
  async recordWithin(db: Kysely<Database>, entry: AuditEntry): Promise<void> {
    await appendEntries(db, [entry], this.#options);
  }

  /** What is about an org, the newest first. `before`: position of the last entry of the page before. */
  async list(org: string, { before, limit }: { before?: number | undefined; limit: number }): Promise<LoggedEntry[]> {
    let query = this.#options.db.selectFrom('audit').selectAll().where('org', '=', org).orderBy('position', 'desc').limit(limit);
    if (before !== undefined) query = query.where('position', '<', before);
    return (await query.execute()).map(({ logged_at: loggedAt, ...entry }) => ({ ...entry, loggedAt }));
  }

  async #work(): Promise<void> {
    this.#isAtWork = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, MOST_TOGETHER);
      this.#waiting = this.#waiting.slice(MOST_TOGETHER);
      // Where they fail together, the one that cannot be written must not take the others with it.
      if (!(await this.#settle(batch))) for (const one of batch) await this.#settle([one], true);
    }
    this.#isAtWork = false;
  }

  /** @param last whether a failure is told */
  async #settle(batch: readonly Waiting[], last = batch.length === 1): Promise<boolean> {
    const { db } = this.#options;
    try {
      const entries = batch.map(({ entry }) => entry);
      await db.transaction().execute((within) => appendEntries(within, entries, this.#options));
      for (const { done } of batch) done.resolve();
      return true;
    } catch (error) {
      if (last) for (const { done } of batch) done.reject(error);
      return last;
    }
  }
}
