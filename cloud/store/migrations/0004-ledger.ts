import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Dialect } from '../database.ts';

/** Commands to boxes, how far each box is, and what boxes have signed. */
export const ledger = (dialect: Dialect): Migration => ({
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
  async up(db: Kysely<any>): Promise<void> {
    await db.schema
      .createTable('commands')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('org', 'text', (column) => column.notNull().references('orgs.id'))
      .addColumn('device', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('body', 'text', (column) => column.notNull())
      .addColumn('urgent', 'integer', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('reason', 'text', (column) => column.notNull())
      .addColumn('incarnation', 'integer', (column) => column.notNull())
      .addColumn('sequence', 'integer', (column) => column.notNull())
      .addColumn('token', 'text', (column) => column.notNull())
      .addColumn('created_by', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('changed_at', 'bigint', (column) => column.notNull())
      .addColumn('not_before', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('commands_org').on('commands').columns(['org', 'id']).execute();
    await db.schema.createIndex('commands_device').on('commands').columns(['device', 'state', 'id']).execute();
    await db.schema.createIndex('commands_end').on('commands').columns(['state', 'expires_at']).execute();
    await db.schema
      .createIndex('commands_pair')
      .unique()
      .on('commands')
      .columns(['device', 'incarnation', 'sequence'])
      .where('sequence', '>', 0)
      .execute();
    await db.schema
      .createTable('links')
      .addColumn('device', 'text', (column) => column.primaryKey())
      .addColumn('session', 'text', (column) => column.notNull())
      .addColumn('seen_at', 'bigint', (column) => column.notNull())
      .addColumn('keys', 'text', (column) => column.notNull())
      .addColumn('incarnation', 'integer', (column) => column.notNull())
      .addColumn('sequence', 'integer', (column) => column.notNull())
      .addColumn('told_incarnation', 'integer', (column) => column.notNull())
      .addColumn('told_sequence', 'integer', (column) => column.notNull())
      .addColumn('tries', 'integer', (column) => column.notNull())
      .addColumn('next_try_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('links_due').on('links').columns(['next_try_at']).execute();
    await db.schema
      .createTable('receipts')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('digest', 'text', (column) => column.notNull().unique())
      .addColumn('org', 'text', (column) => column.notNull())
      .addColumn('device', 'text', (column) => column.notNull())
      .addColumn('command', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('reason', 'text', (column) => column.notNull())
      .addColumn('token', 'text', (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('receipts_org').on('receipts').columns(['org', 'id']).execute();
    await db.schema.createIndex('receipts_command').on('receipts').columns(['command']).execute();
    for (const statement of APPEND_ONLY[dialect]) await statement.execute(db);
  },
});

/** What a box has signed is never changed, by no statement of this program. */
const APPEND_ONLY = {
  sqlite: [
    sql`CREATE TRIGGER receipts_update BEFORE UPDATE ON receipts BEGIN SELECT RAISE(ABORT, 'receipts are kept for ever'); END`,
    sql`CREATE TRIGGER receipts_delete BEFORE DELETE ON receipts BEGIN SELECT RAISE(ABORT, 'receipts are kept for ever'); END`,
  ],
  postgres: [
    sql`CREATE FUNCTION receipts_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'receipts are kept for ever'; END $$`,
    sql`CREATE TRIGGER receipts_change BEFORE UPDATE OR DELETE OR TRUNCATE ON receipts FOR EACH STATEMENT EXECUTE FUNCTION receipts_are_kept()`,
  ],
} as const;
