import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { EnvelopeContext, EnvelopeKey } from '../../../../shared/crypto/envelope.ts';
import { openEnvelope } from '../../../../shared/crypto/open-envelope.ts';
import { sealEnvelope } from '../../../../shared/crypto/seal-envelope.ts';
import { asStoreError } from '../../store/as-store-error.ts';
import type { Cell, SigningUse } from '../hsm.ts';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS cells (
  org TEXT NOT NULL,
  tenant TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  envelope BLOB NOT NULL,
  PRIMARY KEY (org, tenant, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS signing_keys (use TEXT PRIMARY KEY, envelope BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS transport_keys (org TEXT PRIMARY KEY, envelope BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records_version (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL) STRICT;
`;

interface Row {
  readonly envelope: Buffer;
}

/** Keys in a file, each sealed under a master key that lies elsewhere. What it gives belongs to the caller, who wipes it. */
export class Keystore {
  readonly #folder: string;
  #database: Database.Database | undefined;
  #master: EnvelopeKey | undefined;

  /** @param folder made unless it is there */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * @param master 32 bytes, which the keystore owns from here on
   * @throws {SecureGateError} `data_folder_in_use`, `storage_failed`
   */
  open(master: Buffer): void {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      const file = join(this.#folder, 'keystore.db');
      closeSync(openSync(file, 'a', 0o600));
      const database = new Database(file, { timeout: 0 });
      this.#database = database;
      database.pragma('locking_mode = EXCLUSIVE');
      // The rollback journal would keep a copy of what is deleted until it is overwritten; so would a log.
      database.pragma('journal_mode = DELETE');
      database.pragma('synchronous = FULL');
      database.pragma('secure_delete = ON');
      database.exec(SCHEMA);
    } catch (error) {
      this.close();
      throw asStoreError(error);
    }
    this.#master = { id: 'kms-master', version: 1, holds: 'keys', bytes: master };
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
    this.#master?.bytes.fill(0);
    this.#master = undefined;
  }

  /** @returns whether it was added; otherwise there is one already */
  addCell({ org, tenant, epoch }: Cell, key: Buffer): boolean {
    const envelope = sealEnvelope(this.#opened.master, 'cell-key', contextOf({ org, tenant, epoch }), key);
    return (
      this.#opened.database
        .prepare<[string, string, number, Buffer]>(
          'INSERT INTO cells (org, tenant, epoch, envelope) VALUES (?, ?, ?, ?) ON CONFLICT (org, tenant, epoch) DO NOTHING',
        )
        .run(org, tenant, epoch, envelope).changes === 1
    );
  }

  cell({ org, tenant, epoch }: Cell): Buffer | undefined {
    const row = this.#opened.database
      .prepare<[string, string, number], Row>('SELECT envelope FROM cells WHERE org = ? AND tenant = ? AND epoch = ?')
      .get(org, tenant, epoch);
    return row && openEnvelope(this.#opened.master, 'cell-key', contextOf({ org, tenant, epoch }), row.envelope);
  }

  removeCell({ org, tenant, epoch }: Cell): void {
    this.#opened.database
      .prepare<[string, string, number]>('DELETE FROM cells WHERE org = ? AND tenant = ? AND epoch = ?')
      .run(org, tenant, epoch);
  }

  addSigningKey(use: SigningUse, key: Buffer): void {
    const envelope = sealEnvelope(this.#opened.master, 'signing-key', signingContext(use), key);
    this.#opened.database.prepare<[string, Buffer]>('INSERT INTO signing_keys (use, envelope) VALUES (?, ?)').run(use, envelope);
  }

  signingKey(use: SigningUse): Buffer | undefined {
    const row = this.#opened.database.prepare<[string], Row>('SELECT envelope FROM signing_keys WHERE use = ?').get(use);
    return row && openEnvelope(this.#opened.master, 'signing-key', signingContext(use), row.envelope);
  }

  addTransportKey(org: string, key: Buffer): void {
    const envelope = sealEnvelope(this.#opened.master, 'transport-key', transportContext(org), key);
    this.#opened.database.prepare<[string, Buffer]>('INSERT INTO transport_keys (org, envelope) VALUES (?, ?)').run(org, envelope);
  }

  transportKey(org: string): Buffer | undefined {
    const row = this.#opened.database.prepare<[string], Row>('SELECT envelope FROM transport_keys WHERE org = ?').get(org);
    return row && openEnvelope(this.#opened.master, 'transport-key', transportContext(org), row.envelope);
  }

  removeTransportKey(org: string): void {
    this.#opened.database.prepare<[string]>('DELETE FROM transport_keys WHERE org = ?').run(org);
  }

  /** Not sealed: it is no secret, and whoever can write here can put back the whole file. */
  recordsVersion(): number {
    return this.#opened.database.prepare<[], { version: number }>('SELECT version FROM records_version').get()?.version ?? 0;
  }

  raiseRecordsVersion(to: number): void {
    this.#opened.database
      .prepare<[number]>(
        'INSERT INTO records_version (id, version) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET version = max(version, excluded.version)',
      )
      .run(to);
  }

  get #opened(): { database: Database.Database; master: EnvelopeKey } {
    if (!this.#database || !this.#master) throw new Error('The keystore is not open');
    return { database: this.#database, master: this.#master };
  }
}

function contextOf({ org, tenant, epoch }: Cell): EnvelopeContext {
  return { org, tenant, record: String(epoch) };
}

/** Signing keys belong to the platform; their purpose keeps them apart from everybody's cells. */
function signingContext(use: SigningUse): EnvelopeContext {
  return { org: 'platform', tenant: 'kms', record: use };
}

function transportContext(org: string): EnvelopeContext {
  return { org, tenant: 'kms', record: 'transport' };
}
