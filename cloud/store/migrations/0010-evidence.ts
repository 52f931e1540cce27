import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** A receipt finds the words of boxes in the log, by their hashes. */
export const evidence: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
  async up(db: Kysely<any>): Promise<void> {
    await db.schema.createIndex('audit_evidence').on('audit').columns(['evidence']).execute();
  },
};
