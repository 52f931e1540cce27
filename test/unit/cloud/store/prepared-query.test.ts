import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Kysely } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../../../cloud/store/database.ts';
import { openStore } from '../../../../cloud/store/open-store.ts';
import { PreparedQuery } from '../../../../cloud/store/prepared-query.ts';
import { SqliteDb } from '../../../../cloud/store/sqlite-db.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const ORG = { branding: '{}', features: '[]', plan: 'trial', jurisdiction: 'CH', key_policy: '{}', version: 1, created_at: 0 };

/** A database of SQLite, what was told of its queries, and a query of an org's name that counts how often a name was made of rows. */
async function place() {
  const folder = await tempFolder();
  const took: string[] = [];
  const store = await openStore({ file: join(folder, 'cloud.db') }, (outcome) => took.push(outcome));
  let made = 0;
  const names = new PreparedQuery(
    store.db,
    (from) => from.selectFrom('orgs').select('name').where('id', '=', ''),
    (rows) => {
      made++;
      return rows[0]?.name;
    },
  );
  return { folder, took, store, names, made: () => made };
}

async function add(db: Kysely<Database>, id: string, name: string): Promise<void> {
  await db
    .insertInto('orgs')
    .values({ ...ORG, id, name })
    .execute();
}

test('a prepared query sees what is committed, at once, and nothing else', async () => {
  const { folder, took, store, names } = await place();
  const { db } = store;
  expect(await names.ask('acme')).toBeUndefined();
  await db.transaction().execute(async (within) => {
    await add(within, 'acme', 'Acme');
    expect(await names.ask('acme'), 'a transaction under way neither shows itself nor keeps anybody waiting').toBeUndefined();
  });
  expect(await names.ask('acme')).toBe('Acme');
  await db.updateTable('orgs').set({ name: 'Other' }).where('id', '=', 'acme').execute();
  expect(await names.ask('acme')).toBe('Other');
  await expect(
    db.transaction().execute(async (within) => {
      await within.updateTable('orgs').set({ name: 'Third' }).execute();
      expect(await names.ask('acme')).toBe('Other');
      throw new Error('not after all');
    }),
  ).rejects.toThrow('not after all');
  expect(await names.ask('acme')).toBe('Other');

  took.length = 0;
  const venue = { org: 'acme', tenant: 'hall', hostname: 'a.acme.example' };
  const writing = new PreparedQuery(
    db,
    (to) => to.insertInto('hostnames').values(venue).returning('org'),
    (rows) => rows,
  );
  await expect(writing.ask('acme', 'hall', 'a.acme.example')).rejects.toThrow('readonly');
  await names.ask('other');
  expect(took).toEqual(['failed', 'done']);
  await store.close();
  expect(readdirSync(folder)).toEqual(['cloud.db']);
});

test('what was made of rows is given again until something is committed, by whichever process', async () => {
  const { folder, store, names, made } = await place();
  const elsewhere = await openStore({ file: join(folder, 'cloud.db') });
  onTestFinished(() => elsewhere.close());
  onTestFinished(() => store.close());
  await add(store.db, 'acme', 'Acme');
  await add(store.db, 'acme","', 'Quoted');
  for (let at = 0; at < 3; at++) expect([await names.ask('acme'), await names.ask('acme","')]).toEqual(['Acme', 'Quoted']);
  expect(made()).toBe(2);
  const rows = new PreparedQuery(
    store.db,
    (from) => from.selectFrom('orgs').select('name').where('id', '=', ''),
    (found) => [...found],
  );
  const shared = await rows.ask('acme');
  expect(() => Object.assign(shared[0] ?? {}, { name: 'Mine' })).toThrow(TypeError);
  for (let version = 0; version < 20; version++) {
    await elsewhere.db
      .updateTable('orgs')
      .set({ name: `Acme ${version}` })
      .where('id', '=', 'acme')
      .execute();
    // Whoever knows of it elsewhere can say so here in a later turn.
    await new Promise(setImmediate);
    expect(await names.ask('acme')).toBe(`Acme ${version}`);
  }
});

test('what was read before a commit is not given after it', async () => {
  const { folder, store, names } = await place();
  const { db } = store;
  assert(db instanceof SqliteDb);
  const elsewhere = new Sqlite(join(folder, 'cloud.db'));
  onTestFinished(() => void elsewhere.close());
  onTestFinished(() => store.close());
  await add(db, 'acme', 'Acme');
  const before = names.ask('acme');
  elsewhere.prepare("UPDATE orgs SET name = 'Other'").run();
  db.lookAgain();
  const [other, acme] = await Promise.all([names.ask('other'), before]);
  expect([other, acme]).toEqual([undefined, 'Acme']);
  expect(await names.ask('acme')).toBe('Other');
});

test('values that make the same text are told apart', async () => {
  const { store } = await place();
  const both = new PreparedQuery(
    store.db,
    (from) => from.selectFrom('orgs').select('name').where('id', '=', '').where('plan', '=', ''),
    (rows) => rows[0]?.name ?? 'nobody',
  );
  await add(store.db, 'acme', 'Acme');
  expect(await both.ask('acme', 'trial')).toBe('Acme');
  expect(await both.ask('acmetrial', '')).toBe('nobody');
  expect(await both.ask('acmet', 'rial')).toBe('nobody');
  expect(await both.ask('acme', 'trial')).toBe('Acme');
});
