import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Cameras of boxes, and of each box what it should be and how it says that it is. */
export const desired: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
  async up(db: Kysely<any>): Promise<void> {
    await db.schema
      .createTable('cameras')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('org', 'text', (column) => column.notNull().references('orgs.id'))
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('device', 'text', (column) => column.notNull())
      .addColumn('slug', 'text', (column) => column.notNull())
      .addColumn('settings', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('cameras_slug').unique().on('cameras').columns(['device', 'org', 'tenant', 'slug']).execute();
    await db.schema.createIndex('cameras_tenant').on('cameras').columns(['org', 'tenant', 'id']).execute();
    await db.schema
      .createTable('box_states')
      .addColumn('device', 'text', (column) => column.primaryKey())
      .addColumn('org', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('incarnation', 'integer', (column) => column.notNull())
      .addColumn('sequence', 'integer', (column) => column.notNull())
      .addColumn('desired', 'text', (column) => column.notNull())
      .addColumn('changed_at', 'bigint', (column) => column.notNull())
      .addColumn('problem', 'text', (column) => column.notNull())
      .addColumn('report', 'text', (column) => column.notNull())
      .addColumn('reported', 'text', (column) => column.notNull())
      .addColumn('reported_at', 'bigint', (column) => column.notNull())
      .addColumn('tries', 'integer', (column) => column.notNull())
      .addColumn('next_try_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('box_states_due').on('box_states').columns(['next_try_at']).execute();
    await db.schema.createIndex('box_states_org').on('box_states').columns(['org']).execute();
  },
};
