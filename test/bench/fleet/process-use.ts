import { readFileSync } from 'node:fs';

/** What a process has taken so far. Linux counts its time in hundredths of a second. */
export function processUse(pid: number): { readonly cpuMs: number; readonly rssMib: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '');
  const [user = 0, system = 0] = stat.split(' ').slice(11, 13).map(Number);
  const [, kib = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return { cpuMs: (user + system) * 10, rssMib: Math.round(Number(kib) / 1024) };
}
