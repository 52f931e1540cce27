#!/usr/bin/env node
// Starts the product: `launch.mjs COMMAND ...`, or a script of the tests: `launch.mjs --with-tests -- SCRIPT ...`.
// Plain JavaScript for Node >= 18: what the sources need is put in place here first.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BootstrapError, bootstrap } from './bootstrap.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
const withTests = args[0] === '--with-tests' && args[1] === '--';
const withHsm = withTests || ['kms', 'kms-trust', 'cloud', 'drill'].includes(args[0] ?? '') || args.includes('--with-cloud');
const command = withTests ? args.slice(2) : [join(root, 'provisioning/main.ts'), ...args];

/** What must be in the environment before Node starts; whoever starts us may have set it already. */
const DAEMON_ENVIRONMENT = {
  // Cameras are read in libuv's pool and a dead one holds its thread: its size is two a camera and 32, for 48 cameras.
  UV_THREADPOOL_SIZE: '128',
  // glibc overwrites freed memory with this byte, so that embeddings and keys do not linger in it.
  MALLOC_PERTURB_: '165',
  // What is freed goes back to the machine: otherwise glibc keeps as much for a hundred threads as they ever used in the busiest hour.
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '262144',
  MALLOC_TRIM_THRESHOLD_: '1048576',
};

/** What nobody may set otherwise: ONNX Runtime would report its use, with an id of the machine, to its maker (edge/inference/no-telemetry.ts). */
const FIXED_ENVIRONMENT = { ORT_DISABLE_TELEMETRY: '1' };

/** A crash would else write the memory of the process, with keys, names and embeddings, into a file. Node cannot set this limit itself. */
const WITHOUT_CORE_DUMPS = 'ulimit -c 0; exec "$@"';
/** SIGUSR1 would open Node's debugger, and with it faces and cameras' passwords, to everybody on this machine. */
const WITHOUT_DEBUGGER = '--disable-sigusr1';

try {
  const say = (/** @type {string} */ line) => void process.stderr.write(`securegate: ${line}\n`);
  const { node } = await bootstrap({ root, withTests, withHsm, say, env: process.env, uid: process.getuid?.() });
  const env = { ...DAEMON_ENVIRONMENT, ...process.env, ...FIXED_ENVIRONMENT, PATH: `${dirname(node)}:${process.env.PATH ?? ''}` };
  const child = spawn('/bin/sh', ['-c', WITHOUT_CORE_DUMPS, 'sh', node, WITHOUT_DEBUGGER, ...command], { stdio: 'inherit', env });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'])) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well; a second one would mean "at once" to it.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
} catch (error) {
  if (!(error instanceof BootstrapError)) throw error;
  process.stderr.write(`securegate: ${error.message}\n`);
  process.exitCode = 1;
}
