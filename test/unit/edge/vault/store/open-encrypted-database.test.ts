import { randomBytes } from 'node:crypto';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, test } from 'vitest';
import { openEncryptedDatabase } from '../../../../../edge/vault/store/open-encrypted-database.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

const SCHEMA = ['CREATE TABLE words (word TEXT) STRICT; PRAGMA user_version = 1;'];
const WORD = 'a word that is easy to find';
const ROWS = 4000;

let path: string;
const key = randomBytes(32);
const open = (mode: 'create' | 'open' = 'open', schema: readonly string[] = SCHEMA, fileKey = key): Database.Database =>
  openEncryptedDatabase(path, { key: fileKey, schema, mode });
const refused = (code: string): unknown => expect.objectContaining({ code });

function fill(database: Database.Database): void {
  const insert = database.prepare<[string]>('INSERT INTO words (word) VALUES (?)');
  database.transaction(() => {
    for (let row = 0; row < ROWS; row += 1) insert.run(WORD);
  })();
}

const words = (database: Database.Database): (string | undefined)[] =>
  database
    .prepare<[], { word: string }>('SELECT word FROM words')
    .all()
    .map(({ word }) => word);

beforeEach(async () => {
  path = join(await tempFolder(), 'test.db');
});

describe('openEncryptedDatabase', () => {
  test('keeps what was written, and no plaintext reaches file or WAL', async () => {
    const database = open('create');
    fill(database);
    expect(await readdir(join(path, '..'))).toEqual(['test.db', 'test.db-wal']);
    for (const file of [path, `${path}-wal`]) {
      const bytes = await readFile(file);
      expect(bytes.includes('words') || bytes.includes('SQLite format') || bytes.includes('easy to find')).toBe(false);
    }
    database.close();
    const again = open();
    expect(words(again)).toHaveLength(ROWS);
    expect(again.pragma('page_size', { simple: true })).toBe(16384);
    expect(again.pragma('cipher', { simple: true })).toBe('aegis');
    expect(again.pragma('synchronous', { simple: true })).toBe(2);
    again.close();
  });

  test('does not change the key that it was given', () => {
    const before = Buffer.from(key);
    open('create').close();
    expect(key).toEqual(before);
  });

  test('the raw key is the key: no passphrase is derived from it', () => {
    open('create').close();
    const asPassphrase = new Database(path);
    asPassphrase.pragma("cipher = 'aegis'");
    asPassphrase.key(key);
    expect(() => asPassphrase.pragma('user_version')).toThrow(refused('SQLITE_NOTADB'));
    asPassphrase.close();
    expect(() => open('open', SCHEMA, randomBytes(32))).toThrow(refused('vault_corrupt'));
    expect(() => open().close()).not.toThrow();
  });

  test('a flipped bit anywhere in the pages is found when they are read', async () => {
    const database = open('create');
    fill(database);
    database.close();
    const original = await readFile(path);
    for (let at = 40; at < original.length; at += 5003) {
      const damaged = Buffer.from(original);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await writeFile(path, damaged);
      let outcome: unknown;
      try {
        const opened = open();
        try {
          outcome = words(opened).every((word) => word === WORD) ? 'intact' : 'changed';
        } finally {
          opened.close();
        }
      } catch (error) {
        outcome = 'refused';
        expect(error, `byte ${at}`).toHaveProperty('code', expect.stringMatching(/^(vault_corrupt|SQLITE_(CORRUPT|NOTADB))/));
      }
      expect(outcome, `byte ${at}`).toBe('refused');
    }
  });

  test('an emptied, a cut and a missing file are refused, not taken for a new vault', async () => {
    const database = open('create');
    fill(database);
    database.close();
    await truncate(path, 16384);
    expect(() => words(open())).toThrow();
    await truncate(path, 0);
    expect(() => open()).toThrow(refused('vault_corrupt'));
    path = `${path}.none`;
    expect(() => open()).toThrow(refused('storage_failed'));
  });

  test('brings an older schema forward and refuses a newer one', () => {
    open('create').close();
    const next = [...SCHEMA, 'CREATE TABLE more (x TEXT) STRICT; PRAGMA user_version = 2;'];
    const database = open('open', next);
    expect(database.pragma('user_version', { simple: true })).toBe(2);
    expect(database.prepare('SELECT x FROM more').all()).toEqual([]);
    database.close();
    expect(() => open()).toThrow(refused('vault_newer'));
  });

  test('a schema step that fails leaves the version as it was', () => {
    open('create').close();
    expect(() => open('open', [...SCHEMA, 'CREATE TABLE more (x TEXT) STRICT; PRAGMA user_version = 2; SELECT nonsense;'])).toThrow();
    const database = open();
    expect(database.pragma('user_version', { simple: true })).toBe(1);
    database.close();
  });

  test('lets nobody else in while it is open', () => {
    const database = open('create');
    expect(() => open()).toThrow(refused('data_folder_in_use'));
    database.close();
    open().close();
  });
});
