/**
 * Tables of `appliance.db`. Whatever proves somebody's identity is kept as a hash; of people there is nothing here.
 * Step i brings version i to i + 1 and ends with setting `user_version`; steps are only ever appended.
 */
export const APPLIANCE_SCHEMA: readonly string[] = [
  `
  CREATE TABLE box (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL) STRICT;
  CREATE TABLE admin (one INTEGER PRIMARY KEY CHECK (one = 1), half BLOB NOT NULL, hash TEXT NOT NULL) STRICT;
  CREATE TABLE api_keys (
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
  CREATE INDEX api_keys_by_tenant ON api_keys (tenant, created_at);
  CREATE TABLE tenants (
    id TEXT PRIMARY KEY,
    org TEXT NOT NULL,
    match_threshold REAL,
    unmatched_ttl_ms INTEGER NOT NULL,
    sightings_days INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE sessions (hash BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT;
  CREATE TABLE login_links (hash BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT;
  CREATE TABLE idempotency (
    request BLOB PRIMARY KEY,
    content BLOB NOT NULL,
    result TEXT NOT NULL,
    settled INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX idempotency_by_end ON idempotency (expires_at);
  PRAGMA user_version = 1;
  `,
  `
  CREATE TABLE commands (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    token TEXT NOT NULL,
    state TEXT NOT NULL,
    ack TEXT,
    digest TEXT UNIQUE,
    receipt TEXT
  ) STRICT;
  CREATE INDEX commands_by_state ON commands (state) WHERE state = 'IN_PROGRESS';
  CREATE INDEX commands_untold ON commands (position) WHERE ack IS NOT NULL AND receipt IS NULL;
  CREATE INDEX commands_by_receipt ON commands (receipt);
  CREATE TABLE highest_command (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    incarnation INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    command TEXT NOT NULL
  ) STRICT;
  PRAGMA user_version = 2;
  `,
  `
  ALTER TABLE tenants ADD COLUMN keys TEXT NOT NULL DEFAULT 'file' CHECK (keys IN ('file', 'lease'));
  PRAGMA user_version = 3;
  `,
  `
  CREATE TABLE desired (one INTEGER PRIMARY KEY CHECK (one = 1), token TEXT NOT NULL) STRICT;
  PRAGMA user_version = 4;
  `,
  `
  CREATE TABLE tombstones (
    tenant TEXT PRIMARY KEY,
    org TEXT NOT NULL,
    buried_at INTEGER NOT NULL,
    removed TEXT,
    finished INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  PRAGMA user_version = 5;
  `,
  `
  CREATE TABLE models (one INTEGER PRIMARY KEY CHECK (one = 1), chosen TEXT, last_set TEXT, last_embedder TEXT) STRICT;
  PRAGMA user_version = 6;
  `,
  `
  ALTER TABLE commands ADD COLUMN ends_at INTEGER;
  CREATE INDEX commands_over ON commands (ends_at) WHERE ends_at IS NOT NULL AND receipt IS NOT NULL;
  PRAGMA user_version = 7;
  `,
  `
  ALTER TABLE models ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE models ADD COLUMN given_up TEXT;
  PRAGMA user_version = 8;
  `,
];
