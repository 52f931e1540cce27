import { expect, test } from 'vitest';
import { checkProcess } from '../../../../provisioning/doctor/check-process.ts';

const GOOD = { version: '24.21.0', engines: '>=24.3.0', env: { UV_THREADPOOL_SIZE: '128', MALLOC_PERTURB_: '165' }, cameras: 48 };

/** States of Node, thread pool and freed memory. */
const states = (changes: Partial<typeof GOOD>): string[] => checkProcess({ ...GOOD, ...changes }).map(({ state }) => state);

test('what the launcher sets up is well', () => {
  expect(states({})).toEqual(['ok', 'ok', 'ok']);
});

test.each([
  ['an old Node', { version: '20.20.2' }, ['fail', 'ok', 'ok']],
  ['the first of the right line, which still warns of TypeScript', { version: '24.2.9' }, ['fail', 'ok', 'ok']],
  ['more cameras than the pool serves', { cameras: 49 }, ['ok', 'fail', 'ok']],
  ["libuv's own pool", { env: { UV_THREADPOOL_SIZE: '4', MALLOC_PERTURB_: '165' } }, ['ok', 'fail', 'ok']],
  ['freed memory that keeps its content', { env: { UV_THREADPOOL_SIZE: '128', MALLOC_PERTURB_: '0' } }, ['ok', 'ok', 'warn']],
])('%s is named', (_what, changes, expected) => {
  expect(states(changes)).toEqual(expected);
});

test('whatever is not well has a next step', () => {
  const findings = checkProcess({ version: '18.0.0', engines: '>=24.3.0', env: {}, cameras: 2 });
  expect(findings.every(({ state, next }) => state !== 'ok' && next !== undefined)).toBe(true);
});
