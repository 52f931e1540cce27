import { availableParallelism } from 'node:os';
import { runsSources } from '../bootstrap.mjs';
import type { Finding } from './finding.ts';

/** The daemon's needs of libuv's pool for `cameras` cameras: a dead one may hold two threads, the rest of the process 32. */
function threadPoolFor(cameras: number): number {
  return 2 * cameras + 32;
}

/**
 * Node's version and what has to be in the environment before Node starts.
 * @param engines the range of package.json, `>=major.minor.patch`
 * @param cameras how many the configuration names; 0 without one
 */
export function checkProcess(input: {
  readonly version: string;
  readonly engines: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cameras: number;
}): Finding[] {
  const launch = 'Start through provisioning/launch.mjs (npm run --silent securegate -- COMMAND), which sets it.';
  const pool = Number(input.env.UV_THREADPOOL_SIZE ?? 4);
  const needed = threadPoolFor(input.cameras);
  const perturb = input.env.MALLOC_PERTURB_;
  return [
    runsSources(input.version, input.engines)
      ? { check: 'Node', state: 'ok', message: `${input.version} on ${process.platform} ${process.arch}, ${availableParallelism()} cores` }
      : { check: 'Node', state: 'fail', message: `${input.version} is too old, ${input.engines} is needed`, next: launch },
    pool >= needed
      ? { check: 'thread pool', state: 'ok', message: `UV_THREADPOOL_SIZE=${pool}` }
      : {
          check: 'thread pool',
          state: 'fail',
          message: `UV_THREADPOOL_SIZE is ${pool}, the daemon needs ${needed} for ${input.cameras} cameras: a dead one would stop the others`,
          next: input.env.UV_THREADPOOL_SIZE === undefined ? launch : `Set UV_THREADPOOL_SIZE=${needed}.`,
        },
    perturb !== undefined && Number(perturb) > 0
      ? { check: 'freed memory', state: 'ok', message: `MALLOC_PERTURB_=${perturb}` }
      : {
          check: 'freed memory',
          state: 'warn',
          message: 'MALLOC_PERTURB_ is not set: freed embeddings stay readable in memory',
          next: launch,
        },
  ];
}
