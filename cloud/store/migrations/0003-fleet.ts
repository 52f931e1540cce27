import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Boxes, how they enrol, their certificates and the authorities that issue them. */
export const fleet = (): Migration => ({
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
  async up(db: Kysely<any>): Promise<void> {
    await db.schema
      .createTable('devices')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('org', 'text', (column) => column.notNull().references('orgs.id'))
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('wrap_key', 'text', (column) => column.notNull())
      .addColumn('wrap', 'text', (column) => column.notNull())
      .addColumn('jkt', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('enrolled_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('devices_org').on('devices').columns(['org', 'id']).execute();
    await db.schema
      .createTable('enrolment_tokens')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('org', 'text', (column) => column.notNull().references('orgs.id'))
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull().unique())
      .addColumn('made_by', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .addColumn('used_by', 'text', (column) => column.notNull())
      .addColumn('used_key', 'text', (column) => column.notNull())
      .addColumn('used_at', 'bigint')
      .execute();
    await db.schema.createIndex('enrolment_tokens_org').on('enrolment_tokens').columns(['org', 'id']).execute();
    await db.schema
      .createTable('certificates')
      .addColumn('serial', 'text', (column) => column.primaryKey())
      .addColumn('device', 'text', (column) => column.notNull().references('devices.id'))
      .addColumn('key', 'text', (column) => column.notNull())
      .addColumn('not_after', 'bigint', (column) => column.notNull())
      .addColumn('denied_at', 'bigint')
      .execute();
    await db.schema.createIndex('certificates_device').on('certificates').columns(['device', 'not_after']).execute();
    await db.schema
      .createTable('authorities')
      .addColumn('generation', 'integer', (column) => column.primaryKey())
      .addColumn('certificate', 'text', (column) => column.notNull())
      .addColumn('crossed', 'text', (column) => column.notNull())
      .addColumn('trusted_until', 'bigint')
      .execute();
  },
});
