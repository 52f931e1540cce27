import type { SchemaSteps } from '../store/open-encrypted-database.ts';

/**
 * Schema of keys.db: the customers' keys (CEK), each under the key of its shard.
 * `settled` is 0 from a key's making until its customer is known to be in vault.db.
 * Who was erased is written down by his random id, which belongs to nobody then: his rows are removed wherever they turn
 * up again, after a power cut or with an older data file. Customers who merely have no key here keep theirs.
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
  `
  CREATE TABLE erased_customers (
    customer_id TEXT PRIMARY KEY
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = 2;
  `,
];
