import type { Database, Statement } from 'better-sqlite3';

/** A tenant that was added at run time: who it belongs to and its policy. What it knows of people is in its vault. */
export interface TenantPolicy {
  readonly id: string;
  readonly org: string;
  /** Lowest cosine similarity that names a person; null for the embedding model's own. */
  readonly matchThreshold: number | null;
  readonly unmatchedTtlMs: number;
}

/** The tenants that the configuration file does not declare. */
export class TenantPolicies {
  readonly #all: Statement<[], TenantPolicy>;
  readonly #put: Statement<[string, string, number | null, number]>;

  constructor(database: Database) {
    this.#all = database.prepare(
      'SELECT id, org, match_threshold AS "matchThreshold", unmatched_ttl_ms AS "unmatchedTtlMs" FROM tenants ORDER BY id',
    );
    this.#put = database.prepare(
      `INSERT INTO tenants (id, org, match_threshold, unmatched_ttl_ms) VALUES (?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET match_threshold = excluded.match_threshold, unmatched_ttl_ms = excluded.unmatched_ttl_ms`,
    );
  }

  list(): readonly TenantPolicy[] {
    return this.#all.all();
  }

  /** Adds the tenant or changes its policy; the org of a tenant never changes. */
  put({ id, org, matchThreshold, unmatchedTtlMs }: TenantPolicy): void {
    this.#put.run(id, org, matchThreshold, unmatchedTtlMs);
  }
}
