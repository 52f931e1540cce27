import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** By which model set a box should detect and recognise; null for its own. */
export const models: Migration = {
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
  async up(db: Kysely<any>): Promise<void> {
    await db.schema.alterTable('devices').addColumn('models', 'text').execute();
  },
};
