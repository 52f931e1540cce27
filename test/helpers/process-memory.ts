import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { ByteSearch } from '../../provisioning/demo/scan/byte-search.ts';

const PAGE_BYTES = 4096;
/** Of a page's entry in /proc/PID/pagemap. */
const ENTRY_BYTES = 8;
/** Bits 63 and 62: the page is in memory, or swapped out. */
const PRESENT = 0xc0;
const PAGES_AT_ONCE = 1024;

/**
 * What of a search occurs in the memory of another process, which stands still meanwhile: every page that it has ever touched. A core
 * dump would say the same, but a Node process reserves 10 GB, which gdb writes out as zeros.
 */
export function searchMemory(pid: number, search: ByteSearch): Set<string> {
  const found = new Set<string>();
  process.kill(pid, 'SIGSTOP');
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    const window = Buffer.alloc(PAGES_AT_ONCE * PAGE_BYTES + search.longest);
    // What lies across two reads is found in the second, which begins with the end of the first.
    let kept = 0;
    let expected = 0;
    for (const { from, pages } of touched(pid, pagemap)) {
      if (from !== expected) kept = 0;
      const filled = kept + readSync(memory, window, kept, pages * PAGE_BYTES, from);
      search.find(window.subarray(0, filled), found);
      kept = Math.min(filled, search.longest - 1);
      window.copyWithin(0, filled - kept, filled);
      expected = from + pages * PAGE_BYTES;
    }
  } finally {
    closeSync(memory);
    closeSync(pagemap);
    process.kill(pid, 'SIGCONT');
  }
  return found;
}

/** Whether this user may read the memory of a process that he started; where Yama or a container forbids it, tests are skipped. */
export function mayReadMemory(): boolean {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    closeSync(openSync(`/proc/${child.pid}/mem`, 'r'));
    return true;
  } catch {
    return false;
  } finally {
    child.kill('SIGKILL');
  }
}

/** Runs of pages that hold anything. */
function* touched(pid: number, pagemap: number): Generator<{ from: number; pages: number }> {
  const entries = Buffer.alloc(PAGES_AT_ONCE * ENTRY_BYTES);
  for (const { start, end } of mappings(pid)) {
    for (let at = start; at < end; at += PAGES_AT_ONCE * PAGE_BYTES) {
      const count = Math.min(PAGES_AT_ONCE, (end - at) / PAGE_BYTES);
      readSync(pagemap, entries, 0, count * ENTRY_BYTES, (at / PAGE_BYTES) * ENTRY_BYTES);
      const isTouched = (page: number): boolean => page < count && ((entries[page * ENTRY_BYTES + 7] ?? 0) & PRESENT) !== 0;
      for (let page = 0; page < count; page += 1) {
        const first = page;
        while (isTouched(page)) page += 1;
        if (page > first) yield { from: at + first * PAGE_BYTES, pages: page - first };
      }
    }
  }
}

/** Those of the kernel ([vvar], [vdso], [vsyscall]) cannot be read and hold nothing of the process. */
function mappings(pid: number): { start: number; end: number }[] {
  return Array.from(
    readFileSync(`/proc/${pid}/maps`, 'latin1').matchAll(/^([0-9a-f]+)-([0-9a-f]+) (?!.*\[v)/gm),
    ([, start = '', end = '']) => ({
      start: Number.parseInt(start, 16),
      end: Number.parseInt(end, 16),
    }),
  );
}
