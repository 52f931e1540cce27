import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Dialect } from '../database.ts';

/** What boxes have signed ends one day, but for what proves that something was deleted. */
export const retention = (dialect: Dialect): Migration => ({
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
  async up(db: Kysely<any>): Promise<void> {
    await db.schema.createIndex('shred_boxes_command').on('shred_boxes').columns(['command']).execute();
    await db.schema.createIndex('erasure_boxes_command').on('erasure_boxes').columns(['command']).execute();
    await db.schema.createIndex('idempotency_end').on('idempotency').columns(['expires_at']).execute();
    await db.schema.createIndex('enrolment_tokens_end').on('enrolment_tokens').columns(['expires_at']).execute();
    for (const statement of KEPT[dialect]) await statement.execute(db);
  },
});

/** A word of a box is never changed, and one by which a shred or an erasure is proved is never removed, by no statement of this program. */
const KEPT = {
  sqlite: [
    sql`DROP TRIGGER receipts_delete`,
    sql`CREATE TRIGGER receipts_delete BEFORE DELETE ON receipts
      WHEN EXISTS (SELECT 1 FROM shred_boxes WHERE command = OLD.command) OR EXISTS (SELECT 1 FROM erasure_boxes WHERE command = OLD.command)
      BEGIN SELECT RAISE(ABORT, 'what proves a deletion is kept for ever'); END`,
  ],
  postgres: [
    sql`DROP TRIGGER receipts_change ON receipts`,
    sql`CREATE TRIGGER receipts_change BEFORE UPDATE OR TRUNCATE ON receipts FOR EACH STATEMENT EXECUTE FUNCTION receipts_are_kept()`,
    sql`CREATE FUNCTION proofs_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF EXISTS (SELECT 1 FROM shred_boxes WHERE command = OLD.command) OR EXISTS (SELECT 1 FROM erasure_boxes WHERE command = OLD.command)
      THEN RAISE EXCEPTION 'what proves a deletion is kept for ever'; END IF;
      RETURN OLD; END $$`,
    sql`CREATE TRIGGER receipts_delete BEFORE DELETE ON receipts FOR EACH ROW EXECUTE FUNCTION proofs_are_kept()`,
  ],
} as const;
