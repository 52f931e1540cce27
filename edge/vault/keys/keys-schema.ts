import type { SchemaSteps } from '../store/open-encrypted-database.ts';

/**
 * Schema of keys.db: the customers' keys (CEK), each under the key of its shard. Those of a shard lie together, since an erasure
 * writes them all anew. `settled` is 0 from a key's making until its customer is known to be in vault.db.
 * Who was erased is written down by his random id, which belongs to nobody then: his rows are removed wherever they turn
 * up again, after a power cut or with an older data file. Customers who merely have no key here keep theirs.
 * `epoch` of an erasure: the last one whose tenant key may open a copy of the keyring that still had his key. 0: an earlier
 * version erased him, and his shard has yet to get another key.
 * `destroyed_epochs`: what the KMS said about the tenant keys of earlier epochs.
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
  // The shard's name is the key id that an envelope begins with (shared/crypto/envelope.ts).
  `
  DROP INDEX customer_keys_unsettled;
  ALTER TABLE customer_keys RENAME TO unordered_keys;
  CREATE TABLE customer_keys (
    shard TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    shard_version INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    envelope BLOB NOT NULL,
    PRIMARY KEY (shard, customer_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX customer_keys_unsettled ON customer_keys (settled) WHERE settled = 0;
  INSERT INTO customer_keys SELECT CAST(substr(envelope, 10, 9) AS TEXT) AS shard, customer_id, id, version, 1, settled, envelope
    FROM unordered_keys ORDER BY shard, customer_id;
  DROP TABLE unordered_keys;
  ALTER TABLE erased_customers RENAME TO erased_before;
  CREATE TABLE erased_customers (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id TEXT NOT NULL UNIQUE,
    erased_at INTEGER NOT NULL,
    epoch INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX erased_customers_epoch ON erased_customers (epoch);
  INSERT INTO erased_customers (customer_id, erased_at, epoch) SELECT customer_id, 0, 0 FROM erased_before;
  DROP TABLE erased_before;
  CREATE TABLE destroyed_epochs (
    epoch INTEGER PRIMARY KEY,
    unrecoverable_from INTEGER,
    boxes TEXT NOT NULL
  ) STRICT;
  PRAGMA user_version = 3;
  `,
];
