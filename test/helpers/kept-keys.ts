import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { TestKms } from './kms.ts';

/** Everything that a KMS and its token keep of keys, each with the hash of its bytes. */
export interface KeptKeys {
  /** Wrapped tenant keys, by `org/tenant/epoch`. */
  readonly teks: ReadonlyMap<string, string>;
  /** Objects of the token, by their files: the cells are among them. */
  readonly objects: ReadonlyMap<string, string>;
}

/** Reads them while the KMS is not at work: what it holds open alone is looked at in a copy. */
export function keptKeys({ dataDir, token }: Pick<TestKms, 'dataDir' | 'token'>): KeptKeys {
  const folder = join(dataDir, '..', 'copy-of-records');
  mkdirSync(folder, { recursive: true });
  for (const name of ['kms.db', 'kms.db-wal']) if (existsSync(join(dataDir, name))) copyFileSync(join(dataDir, name), join(folder, name));
  const copy = new Database(join(folder, 'kms.db'));
  const rows = copy.prepare<[], { name: string }>("SELECT *, org || '/' || tenant || '/' || epoch AS name FROM epochs").all();
  const teks = new Map(rows.map((row) => [row.name, hashOf(JSON.stringify(row))]));
  copy.close();
  rmSync(folder, { recursive: true });
  const files = token ? globSync('*/*.object', { cwd: join(token.folder, 'tokens') }) : [];
  return { teks, objects: new Map(files.map((file) => [file, hashOf(readFileSync(join(token?.folder ?? '', 'tokens', file)))])) };
}

/** What is not as it was before, or is gone; what is new does not count. */
export function changedKeys(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): { changed: string[]; gone: string[] } {
  const names = [...before.keys()].filter((name) => before.get(name) !== after.get(name));
  return { changed: names.filter((name) => after.has(name)), gone: names.filter((name) => !after.has(name)) };
}

function hashOf(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
