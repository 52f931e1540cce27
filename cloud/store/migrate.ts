import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Database, Dialect } from './database.ts';
import { tenancy } from './migrations/0001-tenancy.ts';
import { severalProcesses } from './migrations/0002-several-processes.ts';
import { fleet } from './migrations/0003-fleet.ts';
import { ledger } from './migrations/0004-ledger.ts';
import { hostnamesOfTenants } from './migrations/0005-hostnames-of-tenants.ts';
import { desired } from './migrations/0006-desired.ts';
import { uplink } from './migrations/0007-uplink.ts';
import { log } from './migrations/0008-log.ts';
import { shred } from './migrations/0009-shred.ts';
import { evidence } from './migrations/0010-evidence.ts';
import { worm } from './migrations/0011-worm.ts';
import { models } from './migrations/0012-models.ts';
import { recoveries } from './migrations/0013-recoveries.ts';
import { retention } from './migrations/0014-retention.ts';

/** Every migration ever, in the order of their names. There is no way back. */
const migrations = (dialect: Dialect): Record<string, Migration> => ({
  '0001-tenancy': tenancy(dialect),
  '0002-several-processes': severalProcesses,
  '0003-fleet': fleet(),
  '0004-ledger': ledger(dialect),
  '0005-hostnames-of-tenants': hostnamesOfTenants,
  '0006-desired': desired,
  '0007-uplink': uplink,
  '0008-log': log(dialect),
  '0009-shred': shred,
  '0010-evidence': evidence,
  '0011-worm': worm,
  '0012-models': models,
  '0013-recoveries': recoveries,
  '0014-retention': retention(dialect),
});

/**
 * Brings the tables to the form that this program knows. Several processes may do so at a time.
 * @throws {SecureGateError} `store_newer` when a newer program was here, `storage_failed`
 */
export async function migrate(db: Kysely<Database>, dialect: Dialect): Promise<void> {
  const known = migrations(dialect);
  const migrator = new Migrator({ db, provider: { getMigrations: async () => known } });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  // Kysely says so of a migration that it finds in the database and not among those given.
  if (results === undefined && String(error).includes('is missing')) {
    throw new SecureGateError('store_newer', 'A newer version has changed the tables of this database', { cause: error });
  }
  throw new SecureGateError('storage_failed', 'The tables of the control plane could not be brought up to date', { cause: error });
}
