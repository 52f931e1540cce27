import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What several processes on one database tell each other: who is about a job, and until when nobody else may be. */
export const severalProcesses: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
  async up(db: Kysely<any>): Promise<void> {
    await db.schema
      .createTable('job_leases')
      .addColumn('job', 'text', (column) => column.primaryKey())
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('ends_at', 'bigint', (column) => column.notNull())
      .execute();
  },
};
