import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Authorities } from '../../cloud/fleet/pki/authorities.ts';
import { tenancy } from '../../cloud/store/migrations/0001-tenancy.ts';
import { openStore, type StoreAddress } from '../../cloud/store/open-store.ts';
import { Orgs } from '../../cloud/tenants/orgs.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

test.each(['SQLite', 'Postgres'])('%s: a database of the first version, with an org in it, is brought up to date', async (database) => {
  const address: StoreAddress =
    database === 'SQLite' ? { file: join(await tempFolder(), 'cloud.db') } : { postgres: await postgres.database() };
  // biome-ignore lint/suspicious/noExplicitAny: the tables of then
  const old = new Kysely<any>({
    dialect:
      'file' in address
        ? new SqliteDialect({ database: new Sqlite(address.file) })
        : new PostgresDialect({ pool: new pg.Pool({ connectionString: address.postgres }) }),
  });
  const first = tenancy(database === 'SQLite' ? 'sqlite' : 'postgres');
  const { error } = await new Migrator({ db: old, provider: { getMigrations: async () => ({ '0001-tenancy': first }) } }).migrateToLatest();
  expect(error).toBeUndefined();
  const org = { id: 'acme', name: 'Acme', branding: '{"domains":[]}', features: '[]', plan: 'trial', jurisdiction: 'CH' };
  const policy = '{"leaseSeconds":60,"enforcement":"memory","epochMoveHours":1,"eraseDeadlineDays":1}';
  await old
    .insertInto('orgs')
    .values({ ...org, key_policy: policy, version: 7, created_at: 1 })
    .execute();
  await old.destroy();

  const store = await openStore(address);
  try {
    expect(await new Orgs(store.db, Date.now).get('acme')).toMatchObject({ name: 'Acme', version: 7 });
    expect(await store.db.selectFrom('devices').selectAll().execute()).toEqual([]);
    const kms = { call: () => Promise.reject(new Error('not asked')) };
    const authorities = new Authorities({ db: store.db, kms, longestAbsenceMs: 1, now: Date.now, random: Buffer.alloc });
    expect(await authorities.trusted()).toEqual([]);
  } finally {
    await store.close();
  }
});
