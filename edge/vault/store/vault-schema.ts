import type { SchemaSteps } from './open-encrypted-database.ts';

/**
 * Schema of vault.db. Columns hold random ids and envelopes, nothing else about a person; `model` is the public id of
 * the embedder, the same for everybody. No column is trusted for order or ownership: each envelope is bound to its row.
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
];
