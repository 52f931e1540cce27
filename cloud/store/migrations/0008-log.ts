import { randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { leafHash } from '../../../shared/audit/leaf.ts';
import { appendToTiles } from '../../../shared/crypto/merkle/tiles.ts';
import { newUlid } from '../../../shared/ids/ulid.ts';
import type { Dialect } from '../database.ts';

/** Entries that are read at a time. */
const MOST_AT_ONCE = 1000;

/** The log over the audit: its tree, its heads, and who has signed them. What was recorded before is its beginning. */
export const log = (dialect: Dialect): Migration => ({
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
  async up(db: Kysely<any>): Promise<void> {
    for (const statement of OPEN[dialect]) await statement.execute(db);
    await db.schema.alterTable('audit').addColumn('leaf', 'bigint').execute();
    await db.schema.alterTable('audit').addColumn('logged_at', 'bigint').execute();
    for (const column of ['salt', 'evidence']) {
      await db.schema
        .alterTable('audit')
        .addColumn(column, 'text', (added) => added.notNull().defaultTo(''))
        .execute();
    }
    await db.schema.createIndex('audit_leaf').unique().on('audit').columns(['leaf']).execute();
    await db.schema
      .createTable('log')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('size', 'bigint', (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('kms_offset', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('log_tiles')
      .addColumn('level', 'integer', (column) => column.notNull())
      .addColumn('number', 'bigint', (column) => column.notNull())
      .addColumn('hashes', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('log_tiles_place', ['level', 'number'])
      .execute();
    await db.schema
      .createTable('log_heads')
      .addColumn('log', 'text', (column) => column.notNull())
      .addColumn('size', 'bigint', (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('token', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('log_heads_size', ['log', 'size'])
      .execute();
    await db.schema
      .createTable('log_forks')
      .addColumn('log', 'text', (column) => column.primaryKey())
      .addColumn('of', 'text', (column) => column.notNull().unique())
      .addColumn('size', 'bigint', (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('token', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('log_cosignatures')
      .addColumn('device', 'text', (column) => column.primaryKey())
      .addColumn('org', 'text', (column) => column.notNull())
      .addColumn('log', 'text', (column) => column.notNull())
      .addColumn('size', 'bigint', (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('token', 'text', (column) => column.notNull())
      .execute();
    await adopt(db);
    for (const statement of CLOSE[dialect]) await statement.execute(db);
  },
});

// biome-ignore lint/suspicious/noExplicitAny: a migration knows the schema of its own time alone
async function adopt(db: Kysely<any>): Promise<void> {
  const at = Date.now();
  const tiles = new Map<string, Buffer>();
  let size = 0;
  for (let last = -1; ; ) {
    const rows = await db.selectFrom('audit').selectAll().where('position', '>', last).orderBy('position').limit(MOST_AT_ONCE).execute();
    if (rows.length === 0) break;
    const hashes: Buffer[] = [];
    for (const { position, request, actor, operation, org, tenant, target, outcome, ...row } of rows) {
      const salt = randomBytes(32);
      const entry = { at: Number(row.at), request, actor, operation, org, tenant, target, outcome, evidence: '' };
      const set = { leaf: size + hashes.length, logged_at: at, salt: salt.toString('base64url') };
      await db.updateTable('audit').set(set).where('position', '=', position).execute();
      hashes.push(leafHash({ entry, salt, loggedAt: at }));
      last = position;
    }
    const readTile = async ({ level, number }: { level: number; number: number }) => tiles.get(`${level}/${number}`) ?? Buffer.alloc(0);
    for (const { level, number, hashes: tile } of await appendToTiles(readTile, size, hashes)) tiles.set(`${level}/${number}`, tile);
    size += hashes.length;
  }
  for (const [place, tile] of tiles) {
    const [level, number] = place.split('/').map(Number);
    await db
      .insertInto('log_tiles')
      .values({ level, number, hashes: textOf(tile) })
      .execute();
  }
  await db
    .insertInto('log')
    .values({ id: newUlid(at), size, at: size === 0 ? 0 : at, kms_offset: 0 })
    .execute();
}

/** Each hash for itself, so that a tile that is added to begins as it did before. */
function textOf(hashes: Buffer): string {
  const count = hashes.length / 32;
  return Array.from({ length: count }, (_, index) => hashes.subarray(index * 32, (index + 1) * 32).toString('base64url')).join('');
}

/** Until each entry has its leaf. */
const OPEN = {
  sqlite: [sql`DROP TRIGGER audit_update`, sql`DROP TRIGGER audit_delete`],
  postgres: [sql`DROP TRIGGER audit_change ON audit`],
} as const;

/**
 * An entry is never changed; it can be erased, which its leaf outlives. What is in the tree is never changed and never shortened, by no
 * statement of this program.
 */
const CLOSE = {
  sqlite: [
    sql`CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
    sql`CREATE TRIGGER log_tiles_update BEFORE UPDATE ON log_tiles WHEN substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
    sql`CREATE TRIGGER log_tiles_delete BEFORE DELETE ON log_tiles BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
  ],
  postgres: [
    sql`CREATE TRIGGER audit_change BEFORE UPDATE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()`,
    sql`CREATE TRIGGER log_tiles_update BEFORE UPDATE ON log_tiles FOR EACH ROW WHEN (left(NEW.hashes, length(OLD.hashes)) <> OLD.hashes) EXECUTE FUNCTION audit_is_append_only()`,
    sql`CREATE TRIGGER log_tiles_delete BEFORE DELETE OR TRUNCATE ON log_tiles FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()`,
  ],
} as const;
