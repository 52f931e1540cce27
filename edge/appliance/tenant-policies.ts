import type { Database, Statement } from 'better-sqlite3';

/** Where a tenant's key comes from: out of a file of this box, or from a KMS for a time. */
export const KEY_ORIGINS = ['file', 'lease'] as const;
export type KeyOrigin = (typeof KEY_ORIGINS)[number];

/** A tenant that was added at run time: who it belongs to and its policy. What it knows of people is in its vault. */
export interface TenantPolicy {
  readonly id: string;
  readonly org: string;
  /** Lowest cosine similarity that names a person; null for the embedding model's own. */
  readonly matchThreshold: number | null;
  readonly unmatchedTtlMs: number;
  /** Days (UTC) for which sightings are kept, the present one among them. */
  readonly sightingsDays: number;
  /** For ever: a vault that the one has made is not opened by the other. */
  readonly keys: KeyOrigin;
}

/** The tenants that the configuration file does not declare. */
export class TenantPolicies {
  readonly #all: Statement<[], TenantPolicy>;
  readonly #put: Statement<[string, string, number | null, number, number, KeyOrigin]>;
  readonly #remove: Statement<[string]>;

  constructor(database: Database) {
    this.#remove = database.prepare('DELETE FROM tenants WHERE id = ?');
    this.#all = database.prepare(
      `SELECT id, org, match_threshold AS "matchThreshold", unmatched_ttl_ms AS "unmatchedTtlMs", sightings_days AS "sightingsDays", keys
       FROM tenants ORDER BY id`,
    );
    this.#put = database.prepare(
      `INSERT INTO tenants (id, org, match_threshold, unmatched_ttl_ms, sightings_days, keys) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET match_threshold = excluded.match_threshold, unmatched_ttl_ms = excluded.unmatched_ttl_ms,
         sightings_days = excluded.sightings_days`,
    );
  }

  list(): readonly TenantPolicy[] {
    return this.#all.all();
  }

  remove(id: string): void {
    this.#remove.run(id);
  }

  /** Adds the tenant or changes its policy; the org of a tenant never changes, nor where its key comes from. */
  put({ id, org, matchThreshold, unmatchedTtlMs, sightingsDays, keys }: TenantPolicy): void {
    this.#put.run(id, org, matchThreshold, unmatchedTtlMs, sightingsDays, keys);
  }
}
