import { isMainThread } from 'node:worker_threads';

/** Loaded into a daemon before its own code: on SIGUSR2 its main thread stands still, longer than a camera may be silent. */
const STANDS_STILL_MS = 4000;

if (isMainThread) {
  process.on('SIGUSR2', () => {
    const until = performance.now() + STANDS_STILL_MS;
    while (performance.now() < until);
  });
}
