import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { AdminSetRecords } from './admin-set-records.ts';
import { asStoreError } from './as-store-error.ts';
import { AssignmentRecords } from './assignment-records.ts';
import { Denials } from './denials.ts';
import { EpochRecords } from './epoch-records.ts';
import { Freezes } from './freezes.ts';
import { KeyChanges } from './key-changes.ts';
import { KMS_SCHEMA } from './kms-schema.ts';
import { MoveRecords } from './move-records.ts';
import { Rates } from './rates.ts';
import { RecordsVersion } from './records-version.ts';
import { UsedApprovals } from './used-approvals.ts';

/** Everything that the KMS itself remembers. Holding it open is holding the KMS's folder. */
export interface KmsStore {
  readonly epochs: EpochRecords;
  readonly moves: MoveRecords;
  readonly adminSets: AdminSetRecords;
  readonly assignments: AssignmentRecords;
  readonly approvals: UsedApprovals;
  readonly denials: Denials;
  readonly freezes: Freezes;
  readonly keyChanges: KeyChanges;
  readonly rates: Rates;
  readonly version: RecordsVersion;
  /** Does all of it or nothing. */
  atomically<T>(work: () => T): T;
  close(): void;
}

/**
 * Opens `kms.db` for this process alone. What was written is on the disk when a call returns (`synchronous = FULL`).
 * @throws {SecureGateError} `data_folder_in_use`, `storage_failed`
 */
export function openKmsStore(dataDir: string): KmsStore {
  let database: Database.Database | undefined;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const file = join(dataDir, 'kms.db');
    closeSync(openSync(file, 'a', 0o600));
    const opened = new Database(file, { timeout: 0 });
    database = opened;
    opened.pragma('locking_mode = EXCLUSIVE');
    opened.pragma('journal_mode = WAL');
    opened.pragma('synchronous = FULL');
    opened.pragma('secure_delete = ON');
    opened.exec(KMS_SCHEMA);
    return {
      epochs: new EpochRecords(opened),
      moves: new MoveRecords(opened),
      adminSets: new AdminSetRecords(opened),
      assignments: new AssignmentRecords(opened),
      approvals: new UsedApprovals(opened),
      denials: new Denials(opened),
      freezes: new Freezes(opened),
      keyChanges: new KeyChanges(opened),
      rates: new Rates(opened),
      version: new RecordsVersion(opened),
      atomically: (work) => opened.transaction(work)(),
      close: () => void opened.close(),
    };
  } catch (error) {
    database?.close();
    throw asStoreError(error);
  }
}
