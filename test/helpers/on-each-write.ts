import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import Database from 'better-sqlite3';

/** What puts something on the disk, in files of the vault and of SQLite. A commit is a statement, and a checkpoint a pragma. */
const OF_FILES = ['writeFileSync', 'writeSync', 'fsyncSync', 'renameSync', 'rmSync'] as const;

/**
 * From now on calls `note` before each write of this process, wherever in the product it is made; its own writes do not count.
 * @returns ends it
 */
export function onEachWrite(note: () => void): () => void {
  let noting = false;
  const noteOnce = (): void => {
    if (noting) return;
    noting = true;
    try {
      note();
    } finally {
      noting = false;
    }
  };
  const database = new Database(':memory:');
  const statement: object = Object.getPrototypeOf(database.prepare('SELECT 1'));
  database.close();
  const undo = [
    ...OF_FILES.map((method) => before(fs, method, noteOnce)),
    before(statement, 'run', noteOnce),
    before(Database.prototype, 'pragma', noteOnce),
  ];
  syncBuiltinESMExports();
  return () => {
    for (const restore of undo) restore();
    syncBuiltinESMExports();
  };
}

function before(owner: object, method: string, note: () => void): () => void {
  const original: unknown = Reflect.get(owner, method);
  if (typeof original !== 'function') throw new RangeError(`${method} is no function`);
  Reflect.set(owner, method, function (this: unknown, ...given: unknown[]): unknown {
    note();
    return Reflect.apply(original, this, given);
  });
  return () => void Reflect.set(owner, method, original);
}
