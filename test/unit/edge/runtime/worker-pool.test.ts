import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { WorkerPool } from '../../../../edge/runtime/worker-pool.ts';
import { createLogger } from '../../../../shared/log/create-logger.ts';

const pools: WorkerPool[] = [];

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.stop()));
});

function poolOf(fixture: string, size = 2, workerData: Int32Array | null = null): WorkerPool {
  const entry = new URL(`../../../fixtures/${fixture}.ts`, import.meta.url);
  const pool = new WorkerPool({ entry, size, workerData, logger: createLogger('test', { level: 'silent' }) });
  pools.push(pool);
  return pool;
}

test('tasks are answered each with its own result, also with more tasks than threads', async () => {
  const pool = poolOf('echo-worker');
  expect(await pool.start()).toBe('echo');
  const numbers = Array.from({ length: 50 }, (_, index) => index);
  expect(await Promise.all(numbers.map((number) => pool.run(number)))).toEqual(numbers.map((number) => number * 2));
});

test('a failed task rejects with the code of its error and harms no other', async () => {
  const pool = poolOf('echo-worker', 1);
  await pool.start();
  const [bad, good] = await Promise.allSettled([pool.run('words'), pool.run(4)]);
  expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'invalid_request' } });
  expect(good).toMatchObject({ status: 'fulfilled', value: 8 });
});

test.each([
  ['is away at once', 'die', 'thread ended with 3'],
  ['meets an error that nobody catches', 'throw', 'nobody catches this'],
])('a thread that %s fails its task only, and is replaced', async (_how, request, message) => {
  const pool = poolOf('echo-worker', 1);
  await pool.start();
  const dying = pool.run(request);
  const waiting = pool.run(5);
  await expect(dying).rejects.toMatchObject({ code: 'inference_failed', message });
  expect(await waiting).toBe(10);
});

test('tells what is wrong until it is right again: a task that failed, a thread that is missing', async () => {
  const pool = poolOf('echo-worker', 1);
  await pool.start();
  expect(pool.trouble).toBeNull();
  await expect(pool.run('words')).rejects.toThrow();
  expect(pool.trouble).toBe('invalid_request');
  await pool.run(1);
  expect(pool.trouble).toBeNull();
  await expect(pool.run('die')).rejects.toThrow();
  expect(pool.trouble).toBe('inference_failed');
  await pool.run(1);
  expect(pool.trouble).toBeNull();
});

test('a worker that refuses to start tells why', async () => {
  await expect(poolOf('refusing-worker').start()).rejects.toMatchObject({ code: 'model_missing' });
});

test('a stop lets each thread finish what it is at, takes nothing on, and tells what waited', async () => {
  const pool = poolOf('echo-worker', 1);
  await pool.start();
  const [first, second] = [pool.run(1), pool.run(2)];
  const waiting = expect(second).rejects.toMatchObject({ code: 'stopped' });
  await pool.stop();
  expect(await first).toBe(2);
  await waiting;
  await expect(pool.run(1)).rejects.toMatchObject({ code: 'stopped' });
});

test.each([
  ['that is stopped', async (pool: WorkerPool) => pool.stop()],
  ['that meets an error that nobody catches', async (pool: WorkerPool) => pool.run('throw').catch(() => undefined)],
])('a thread %s ends by itself: nothing is left to be done when it is torn down', async (_which, end) => {
  const ended = new Int32Array(new SharedArrayBuffer(4));
  const pool = poolOf('echo-worker', 1, ended);
  await pool.start();
  await end(pool);
  await expect.poll(() => Atomics.load(ended, 0)).toBe(1);
});

test('a thread that is still starting in the place of a dead one does not outlive the stop', async () => {
  const owner = fileURLToPath(new URL('../../../fixtures/pool-owner.ts', import.meta.url));
  // It would go on as long as a thread of its does.
  const { stdout } = await promisify(execFile)(process.execPath, [owner], { timeout: 50_000 });
  expect(stdout).toBe('inference_failed, stopped\n');
});
