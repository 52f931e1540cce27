import type { SchemaSteps } from '../store/open-encrypted-database.ts';

/**
 * Schema of keys.db: the customers' keys (CEK), each under the key of its shard.
 * `settled` is 0 from a key's making until its customer is known to be in vault.db.
 */
export const KEYS_SCHEMA: SchemaSteps = [
  `
  CREATE TABLE customer_keys (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    envelope BLOB NOT NULL
  ) STRICT;
  CREATE INDEX customer_keys_unsettled ON customer_keys (settled) WHERE settled = 0;
  PRAGMA user_version = 1;
  `,
];
