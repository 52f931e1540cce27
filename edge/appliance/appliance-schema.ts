/**
 * Tables of `appliance.db`. Whatever proves somebody's identity is kept as a hash; of people there is nothing here.
 * Step i brings version i to i + 1 and ends with setting `user_version`; steps are only ever appended. Files that were made
 * before versions were counted hold the tables of the first step already.
 */
export const APPLIANCE_SCHEMA: readonly string[] = [
  `
  CREATE TABLE IF NOT EXISTS box (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS admin (one INTEGER PRIMARY KEY CHECK (one = 1), half BLOB NOT NULL, hash TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS api_keys (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    hash BLOB NOT NULL,
    title TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER
  ) STRICT;
  CREATE INDEX IF NOT EXISTS api_keys_by_tenant ON api_keys (tenant, created_at);
  CREATE TABLE IF NOT EXISTS tenants (
    id TEXT PRIMARY KEY,
    org TEXT NOT NULL,
    match_threshold REAL,
    unmatched_ttl_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS sessions (hash BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS login_links (hash BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS idempotency (
    request BLOB PRIMARY KEY,
    content BLOB NOT NULL,
    result TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  PRAGMA user_version = 1;
  `,
  `
  ALTER TABLE tenants ADD COLUMN sightings_days INTEGER NOT NULL DEFAULT 30;
  ALTER TABLE idempotency ADD COLUMN settled INTEGER NOT NULL DEFAULT 1;
  CREATE INDEX idempotency_by_end ON idempotency (expires_at);
  PRAGMA user_version = 2;
  `,
];
