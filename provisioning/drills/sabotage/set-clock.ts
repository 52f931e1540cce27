import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { loadIntoVaults } from './into-vaults.ts';

/**
 * Loaded into a daemon before its own code, and by it into its vaults: their wall clock is off by as many milliseconds as the
 * file says that the module's address names. The machine's own clock stays as it is, and so does the monotonic one, as when an
 * operator sets the time.
 */
const LOOK_EVERY_MS = 50;

if (isMainThread) {
  const file = new URL(import.meta.url).searchParams.get('file') ?? '';
  const TrueDate = Date;
  let offset = 0;
  const look = (): void => {
    offset = Number(readFileSync(file, 'utf8'));
  };
  look();
  setInterval(look, LOOK_EVERY_MS).unref();
  globalThis.Date = class extends TrueDate {
    constructor(...given: [] | [number | string]) {
      super(...((given.length === 0 ? [TrueDate.now() + offset] : given) as [number]));
    }

    static override now(): number {
      return TrueDate.now() + offset;
    }
  } as DateConstructor;

  loadIntoVaults(import.meta.url);
}
