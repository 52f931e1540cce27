import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));

/** The demo as `npm run demo` starts it; everything that it writes goes below `folder`. */
export function startDemo(folder: string, ...args: string[]): ChildProcessByStdio<null, Readable, Readable> {
  const env = { ...process.env, TMPDIR: folder, UV_THREADPOOL_SIZE: '128', MALLOC_PERTURB_: '165' };
  const child = spawn(process.execPath, [MAIN, 'demo', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}
