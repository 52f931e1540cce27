import type { SchemaSteps } from './open-encrypted-database.ts';

/**
 * Schema of vault.db. Columns hold random ids and envelopes, nothing else about a person; `model` is the public id of
 * the embedder, the same for everybody. No column is trusted for ownership: each envelope is bound to its row.
 * `position` is the order in which rows were added, for paging. Of the time of a sighting no column says more than between
 * which positions those of a day (UTC) lie; the day '' stands for those of an earlier version, whose days are not known.
 * `content` is the customer's envelope, or plain JSON where a row has no customer.
 * `outbox`: what waits to be told to the control plane, sealed; `outbox_size` counts it along, with what had no room.
 * `usage_runs`: what each run of this vault has counted of `usage_counters`, and how much of it the control plane has written down.
 */
export const VAULT_SCHEMA: SchemaSteps = [
  `
  CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    profile BLOB NOT NULL
  ) STRICT;
  CREATE TABLE consents (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    envelope BLOB NOT NULL
  ) STRICT;
  CREATE INDEX consents_customer ON consents (customer_id);
  CREATE TABLE faces (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    model TEXT NOT NULL,
    envelope BLOB NOT NULL
  ) STRICT;
  CREATE INDEX faces_customer ON faces (customer_id);
  CREATE TABLE sightings (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    envelope BLOB NOT NULL
  ) STRICT;
  CREATE INDEX sightings_customer ON sightings (customer_id);
  PRAGMA user_version = 1;
  `,
  `
  ALTER TABLE customers ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE customers ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
  UPDATE customers SET position = rowid;
  CREATE UNIQUE INDEX customers_position ON customers (position);
  ALTER TABLE faces ADD COLUMN picture BLOB;
  CREATE TABLE all_sightings (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    customer_id TEXT REFERENCES customers (id),
    content BLOB NOT NULL
  ) STRICT;
  INSERT INTO all_sightings (id, customer_id, content) SELECT id, customer_id, envelope FROM sightings ORDER BY rowid;
  DROP TABLE sightings;
  ALTER TABLE all_sightings RENAME TO sightings;
  CREATE INDEX sightings_customer ON sightings (customer_id);
  CREATE TABLE sighting_days (
    day TEXT PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO sighting_days SELECT '', min(position), max(position) FROM sightings HAVING count(*) > 0;
  CREATE TABLE records (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    customer_id TEXT REFERENCES customers (id),
    content BLOB NOT NULL
  ) STRICT;
  CREATE INDEX records_kind ON records (kind);
  CREATE INDEX records_customer ON records (customer_id);
  CREATE TABLE usage_counters (
    day TEXT NOT NULL,
    counter TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (day, counter)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = 2;
  `,
  `
  CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    envelope BLOB NOT NULL
  ) STRICT;
  CREATE TABLE outbox_size (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    items INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    dropped INTEGER NOT NULL
  ) STRICT;
  INSERT INTO outbox_size VALUES (1, 0, 0, 0);
  CREATE TRIGGER outbox_grows AFTER INSERT ON outbox BEGIN
    UPDATE outbox_size SET items = items + 1, bytes = bytes + length(NEW.envelope);
  END;
  CREATE TRIGGER outbox_shrinks AFTER DELETE ON outbox BEGIN
    UPDATE outbox_size SET items = items - 1, bytes = bytes - length(OLD.envelope);
  END;
  CREATE TABLE usage_runs (
    run TEXT NOT NULL,
    day TEXT NOT NULL,
    counter TEXT NOT NULL,
    amount INTEGER NOT NULL,
    told INTEGER NOT NULL,
    PRIMARY KEY (run, day, counter)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = 3;
  `,
];
