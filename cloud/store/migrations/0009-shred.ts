import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Shreds of tenants, who approved them, erasures of customers, and which boxes have to do their part. */
export const shred: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
  async up(db: Kysely<any>): Promise<void> {
    await db.schema
      .createTable('shreds')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('org', 'text', (column) => column.notNull())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('reason', 'text', (column) => column.notNull())
      .addColumn('requested_by', 'text', (column) => column.notNull())
      .addColumn('requested_at', 'bigint', (column) => column.notNull())
      .addColumn('approvals_needed', 'integer', (column) => column.notNull())
      .addColumn('grace_ms', 'bigint', (column) => column.notNull())
      .addColumn('frozen_at', 'bigint')
      .addColumn('destroys_from', 'bigint')
      .addColumn('destroyed_at', 'bigint')
      .addColumn('unrecoverable_from', 'bigint')
      .addColumn('settled_at', 'bigint')
      .addColumn('version', 'integer', (column) => column.notNull())
      .addForeignKeyConstraint('shreds_tenant', ['org', 'tenant'], 'tenants', ['org', 'id'])
      .execute();
    await db.schema.createIndex('shreds_org').on('shreds').columns(['org', 'id']).execute();
    await db.schema
      .createIndex('shreds_of_tenant')
      .unique()
      .on('shreds')
      .columns(['org', 'tenant'])
      .where(sql.ref('state'), '<>', 'cancelled')
      .execute();
    await db.schema
      .createTable('shred_approvals')
      .addColumn('shred', 'text', (column) => column.notNull().references('shreds.id'))
      .addColumn('account', 'text', (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('shred_approvals_pk', ['shred', 'account'])
      .execute();
    await db.schema
      .createTable('shred_boxes')
      .addColumn('shred', 'text', (column) => column.notNull().references('shreds.id'))
      .addColumn('device', 'text', (column) => column.notNull())
      .addColumn('enforcement', 'text', (column) => column.notNull())
      .addColumn('lease_ends_at', 'bigint', (column) => column.notNull())
      .addColumn('command', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('shred_boxes_pk', ['shred', 'device'])
      .execute();
    await db.schema
      .createTable('erasures')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('org', 'text', (column) => column.notNull())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('customers', 'text', (column) => column.notNull())
      .addColumn('requested_by', 'text', (column) => column.notNull())
      .addColumn('requested_at', 'bigint', (column) => column.notNull())
      .addColumn('settled_at', 'bigint')
      .addForeignKeyConstraint('erasures_tenant', ['org', 'tenant'], 'tenants', ['org', 'id'])
      .execute();
    await db.schema.createIndex('erasures_org').on('erasures').columns(['org', 'id']).execute();
    await db.schema
      .createTable('erasure_boxes')
      .addColumn('erasure', 'text', (column) => column.notNull().references('erasures.id'))
      .addColumn('device', 'text', (column) => column.notNull())
      .addColumn('command', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('erasure_boxes_pk', ['erasure', 'device'])
      .execute();
  },
};
