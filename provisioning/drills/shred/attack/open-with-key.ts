import { copyFileSync } from 'node:fs';
import Database from 'better-sqlite3';

/**
 * Tries a key on an encrypted database. It is tried on a copy without its log: a wrong key must not spoil what another one opens.
 * @param path of the database, in a folder that may be written to
 * @returns undefined where it is not its key; the caller closes it
 */
export function openWithKey(path: string, key: Buffer): Database.Database | undefined {
  const probe = `${path}.probe`;
  copyFileSync(path, probe);
  const tried = open(probe, key);
  tried?.close();
  return tried && open(path, key);
}

function open(path: string, key: Buffer): Database.Database | undefined {
  const database = new Database(path, { fileMustExist: true });
  try {
    database.pragma("cipher = 'aegis'");
    database.key(Buffer.concat([Buffer.from('raw:'), key]));
    database.pragma('locking_mode = EXCLUSIVE');
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return database;
  } catch {
    database.close();
    return undefined;
  }
}
