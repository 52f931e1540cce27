import { renameSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a daemon before its own code: tells every second, in the file that the module's address names, what only the
 * process itself can see.
 */
if (isMainThread) {
  const file = new URL(import.meta.url).searchParams.get('file') ?? '';
  const tell = (): void => {
    const { heapUsed, external } = process.memoryUsage();
    const insides = { heapMb: heapUsed / 2 ** 20, externalMb: external / 2 ** 20, handles: process.getActiveResourcesInfo().length };
    writeFileSync(`${file}.new`, JSON.stringify(insides));
    renameSync(`${file}.new`, file);
  };
  setInterval(tell, 1000).unref();
}
