import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { idSchema, newId } from '../../shared/ids/ids.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { AdminCredential } from './admin-credential.ts';
import { ApiKeys } from './api-keys.ts';
import { APPLIANCE_SCHEMA } from './appliance-schema.ts';
import { StoredIdempotencyResults } from './idempotency-results.ts';
import { LoginLinks } from './login-links.ts';
import { Sessions } from './sessions.ts';
import { StoredCommands } from './stored-commands.ts';
import { StoredDesired } from './stored-desired.ts';
import { StoredModels } from './stored-models.ts';
import { TenantPolicies } from './tenant-policies.ts';
import { Tombstones } from './tombstones.ts';

const rowSchema = z.strictObject({ id: idSchema('box') });

/** What belongs to the box as a whole, not to a tenant. Holding it open is holding the data folder. */
export interface Appliance {
  /** Id of this box, made at its first start. */
  readonly box: string;
  readonly tenants: TenantPolicies;
  readonly admin: AdminCredential;
  readonly apiKeys: ApiKeys;
  readonly sessions: Sessions;
  readonly loginLinks: LoginLinks;
  readonly idempotency: StoredIdempotencyResults;
  readonly commands: StoredCommands;
  readonly desired: StoredDesired;
  readonly models: StoredModels;
  readonly tombstones: Tombstones;
  close(): void;
}

/** Where the records of the box as a whole lie. */
export function applianceFile(dataDir: string): string {
  return join(dataDir, 'appliance.db');
}

/**
 * Opens `appliance.db` for this process alone: SQLite's own file lock keeps every other process out and goes with the
 * process, however it ends.
 * @param newBox the id of the box, where it has none yet
 * @throws {SecureGateError} `data_folder_in_use`, `data_folder_newer`, `storage_failed`
 */
export function openAppliance(dataDir: string, clock: Clock = systemClock, newBox = newId('box')): Appliance {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const file = applianceFile(dataDir);
    // SQLite would make it readable for everybody; what it makes beside it takes over these rights.
    closeSync(openSync(file, 'a', 0o600));
    const db = new Database(file, { timeout: 0 });
    try {
      db.pragma('locking_mode = EXCLUSIVE');
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      migrate(db, dataDir);
      db.prepare<[string]>('INSERT INTO box (one, id) VALUES (1, ?) ON CONFLICT (one) DO NOTHING').run(newBox);
      const { id } = rowSchema.parse(db.prepare('SELECT id FROM box').get());
      return {
        box: id,
        tenants: new TenantPolicies(db),
        admin: new AdminCredential(db),
        apiKeys: new ApiKeys(db, clock),
        sessions: new Sessions(db, clock),
        loginLinks: new LoginLinks(db, clock),
        idempotency: new StoredIdempotencyResults(db, clock),
        commands: new StoredCommands(db),
        desired: new StoredDesired(db),
        models: new StoredModels(db),
        tombstones: new Tombstones(db),
        close: () => void db.close(),
      };
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code.startsWith('SQLITE_BUSY')) {
      throw new SecureGateError('data_folder_in_use', 'Another SecureGate process holds this data folder', {
        cause: error,
        details: { dataDir },
      });
    }
    throw SecureGateError.from(error, 'storage_failed');
  }
}

function migrate(db: Database.Database, dataDir: string): void {
  const version = Number(db.pragma('user_version', { simple: true }));
  if (version > APPLIANCE_SCHEMA.length) {
    throw new SecureGateError('data_folder_newer', 'This data folder was written by a newer version', {
      details: { dataDir, version, known: APPLIANCE_SCHEMA.length },
    });
  }
  for (const step of APPLIANCE_SCHEMA.slice(version)) db.transaction(() => db.exec(step))();
}
