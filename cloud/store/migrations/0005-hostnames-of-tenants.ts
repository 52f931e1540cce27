import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** A tenant is read with its host names, without looking at those of all others. */
export const hostnamesOfTenants: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
  async up(db: Kysely<any>): Promise<void> {
    await db.schema.createIndex('hostnames_of_tenants').on('hostnames').columns(['org', 'tenant', 'hostname']).execute();
  },
};
