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
  const database = new Database(':memory:');
  const statement: object = Object.getPrototypeOf(database.prepare('SELECT 1'));
  database.close();
  return beforeEach(note, [...OF_FILES.map((method) => [fs, method] as const), [statement, 'run'], [Database.prototype, 'pragma']]);
}

/** The same for what is removed from the disk: files and folders. */
export function onEachRemoval(note: () => void): () => void {
  return beforeEach(note, [
    [fs, 'rmSync'],
    [fs, 'rmdirSync'],
  ]);
}

function beforeEach(note: () => void, calls: readonly (readonly [owner: object, method: string])[]): () => void {
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
  const undo = calls.map(([owner, method]) => before(owner, method, noteOnce));
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
