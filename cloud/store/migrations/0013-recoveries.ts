import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What the recovery keys of an org have signed after the loss of an HSM, for boxes and auditors. */
export const recoveries: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
  async up(db: Kysely<any>): Promise<void> {
    await db.schema
      .createTable('recoveries')
      .addColumn('org', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('drafted_at', 'bigint', (column) => column.notNull())
      .addColumn('ends_at', 'bigint', (column) => column.notNull())
      .addColumn('signed', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('recoveries_id', ['org', 'id'])
      .execute();
  },
};
