import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** How far the copy of each log is that is kept where nobody can delete it. */
export const worm: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
  async up(db: Kysely<any>): Promise<void> {
    await db.schema
      .createTable('log_copies')
      .addColumn('bucket', 'text', (column) => column.notNull())
      .addColumn('log', 'text', (column) => column.notNull())
      .addColumn('tiled', 'bigint', (column) => column.notNull())
      .addColumn('size', 'bigint', (column) => column.notNull())
      .addColumn('copied_at', 'bigint')
      .addColumn('problem', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('log_copies_place', ['bucket', 'log'])
      .execute();
  },
};
