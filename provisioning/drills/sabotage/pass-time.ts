import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { IN_VAULT, loadIntoVaults } from './into-vaults.ts';

/**
 * Loaded into a daemon before its own code, and by it into its vaults: for these, as many milliseconds more have passed since the machine
 * was started as the file says that the module's address names. What was to happen in them happens, as it would have. Each of them
 * writes into a file of its own, `<file>.<process id>`, how much has passed for it.
 */
const LOOK_EVERY_MS = 50;

if (isMainThread) loadIntoVaults(import.meta.url);
if (isMainThread && IN_VAULT) {
  const file = new URL(import.meta.url).searchParams.get('file') ?? '';
  const { readFileSync } = fs;
  const { setTimeout: begin, clearTimeout: end } = globalThis;
  const waiting = new Map<unknown, { readonly at: number; readonly call: () => void }>();
  const answer = (): void => fs.writeFileSync(`${file}.${process.pid}`, String(passed));
  let passed = Number(readFileSync(file, 'utf8'));
  answer();
  const now = (): number => performance.now() + passed;

  fs.readFileSync = ((path: fs.PathOrFileDescriptor, ...how: [fs.ObjectEncodingOptions]) => {
    if (path !== '/proc/uptime') return readFileSync(path, ...how);
    return String(Number.parseFloat(readFileSync(path, 'latin1')) + passed / 1000);
  }) as typeof readFileSync;
  globalThis.setTimeout = ((what: (...given: unknown[]) => void, ms = 0, ...given: unknown[]) => {
    const call = (): void => {
      waiting.delete(timer);
      what(...given);
    };
    const timer = begin(call, ms);
    waiting.set(timer, { at: now() + ms, call });
    return timer;
  }) as typeof setTimeout;
  globalThis.clearTimeout = (timer) => {
    waiting.delete(timer);
    end(timer);
  };
  syncBuiltinESMExports();

  setInterval(() => {
    const told = Number(readFileSync(file, 'utf8'));
    if (told === passed) return;
    passed = told;
    for (const [timer, { at, call }] of [...waiting]) {
      if (at > now()) continue;
      end(timer as NodeJS.Timeout);
      call();
    }
    answer();
  }, LOOK_EVERY_MS).unref();
}
