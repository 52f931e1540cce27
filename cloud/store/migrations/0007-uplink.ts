import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What boxes tell of their tenants and of themselves. */
export const uplink: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
  async up(db: Kysely<any>): Promise<void> {
    await db.schema
      .createTable('counted_sightings')
      .addColumn('device', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('ended_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('counted_sightings_key', ['device', 'id'])
      .execute();
    await db.schema.createIndex('counted_sightings_end').on('counted_sightings').columns(['ended_at']).execute();
    await db.schema
      .createTable('sightings')
      .addColumn('device', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('org', 'text', (column) => column.notNull())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('camera', 'text', (column) => column.notNull())
      .addColumn('begun_at', 'bigint', (column) => column.notNull())
      .addColumn('ended_at', 'bigint', (column) => column.notNull())
      .addColumn('known', 'integer', (column) => column.notNull())
      .addColumn('confidence', 'integer')
      .addPrimaryKeyConstraint('sightings_key', ['device', 'id'])
      .execute();
    await db.schema.createIndex('sightings_tenant').on('sightings').columns(['org', 'tenant', 'ended_at']).execute();
    await db.schema
      .createTable('sighting_days')
      .addColumn('org', 'text', (column) => column.notNull())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('day', 'text', (column) => column.notNull())
      .addColumn('camera', 'text', (column) => column.notNull())
      .addColumn('known', 'integer', (column) => column.notNull())
      .addColumn('sightings', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('sighting_days_key', ['org', 'tenant', 'day', 'camera', 'known'])
      .execute();
    await db.schema
      .createTable('usage_runs')
      .addColumn('org', 'text', (column) => column.notNull())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('day', 'text', (column) => column.notNull())
      .addColumn('device', 'text', (column) => column.notNull())
      .addColumn('run', 'text', (column) => column.notNull())
      .addColumn('counter', 'text', (column) => column.notNull())
      .addColumn('amount', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('usage_runs_key', ['org', 'tenant', 'day', 'device', 'run', 'counter'])
      .execute();
    await db.schema
      .createTable('telemetry')
      .addColumn('device', 'text', (column) => column.primaryKey())
      .addColumn('org', 'text', (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('report', 'text', (column) => column.notNull())
      .execute();
  },
};
