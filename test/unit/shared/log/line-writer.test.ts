import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createLogger } from '../../../../shared/log/create-logger.ts';
import { LineWriter } from '../../../../shared/log/line-writer.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const url = (path: string): string => new URL(`../../../../shared/log/${path}`, import.meta.url).href;

function run(code: string, stderr: number | 'pipe') {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', stderr], timeout: 50_000 });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test('writes every line once', async () => {
  const file = join(await tempFolder(), 'lines');
  const fd = openSync(file, 'w');
  const writer = new LineWriter({ fd });
  const lines = Array.from({ length: 2000 }, (_, number) => `line ${number}\n`);
  for (const line of lines) writer.write(line);
  writer.flushSync();
  await expect.poll(() => readFileSync(file, 'utf8').length).toBe(lines.join('').length);
  expect(readFileSync(file, 'utf8').split('\n').filter(Boolean).toSorted()).toEqual(lines.map((line) => line.trim()).toSorted());
  closeSync(fd);
});

test('lines that come fast wait for each other, and one that comes alone does not wait', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const file = join(await tempFolder(), 'lines');
  const fd = openSync(file, 'w');
  const writer = new LineWriter({ fd });
  const written = (): string => readFileSync(file, 'utf8');
  /** Until what was begun has ended, and waits for its pause: the clock stands still. */
  const settled = async (): Promise<void> => {
    while (vi.getTimerCount() === 0) await turn();
  };
  writer.write('1');
  await settled();
  expect(written(), 'the first goes alone').toBe('1');
  for (const line of '23456') writer.write(line);
  vi.advanceTimersByTime(9);
  expect(vi.getTimerCount(), 'nothing begins before the pause is over').toBe(1);
  expect(written()).toBe('1');
  vi.advanceTimersByTime(1);
  await settled();
  expect(written(), 'what came meanwhile goes together').toBe('123456');
  closeSync(fd);
});

test('says once that lines are lost, and again after some got through', async () => {
  const full = openSync('/dev/full', 'w');
  const lost: (string | undefined)[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const writer = new LineWriter({
    fd: full,
    onLost: (error) => {
      lost.push(error && 'code' in error ? String(error.code) : undefined);
      resolve();
    },
  });
  writer.write('one\n');
  await promise;
  writer.write('two\n');
  writer.flushSync();
  expect(lost).toEqual(['ENOSPC']);
  closeSync(full);
});

test('a log on a full disk neither ends the process nor keeps it from ending', async () => {
  const full = openSync('/dev/full', 'w');
  const child = run(
    `const { createLogger } = await import('${url('create-logger.ts')}');
     const log = createLogger('test', { level: 'info' });
     for (let i = 0; i < 3; i += 1) { log.info('x'); await new Promise((resolve) => setTimeout(resolve, 20)); }
     console.log('went on'); log.info('last'); process.exit(5);`,
    full,
  );
  const output = text(child.stdout as NonNullable<typeof child.stdout>);
  expect(await once(child, 'exit')).toEqual([5, null]);
  expect(await output).toBe('went on\n');
  closeSync(full);
});

test('what was logged last is written when the process ends', async () => {
  const child = run(
    `const { createLogger } = await import('${url('create-logger.ts')}'); createLogger('test', { level: 'info' }).info('a'); createLogger('test', { level: 'info' }).info('b'); process.exit(0);`,
    'pipe',
  );
  const log = await text(child.stderr as NonNullable<typeof child.stderr>);
  expect(log).toContain('"msg":"b"');
});

test('a reader that is stuck costs memory up to a limit, and never time', async () => {
  const child = run(
    `const { LineWriter } = await import('${url('line-writer.ts')}');
     const writer = new LineWriter({ fd: 2, onLost: () => { console.log('lost'); process.kill(process.pid, 'SIGKILL'); } });
     const line = 'x'.repeat(1023) + '\\n';
     for (let i = 0; i < 8192; i += 1) writer.write(line);`,
    'pipe',
  );
  expect(await text(child.stdout as NonNullable<typeof child.stdout>)).toBe('lost\n');
});

test('loggers of one process share one exit handler', () => {
  const before = process.listenerCount('exit');
  for (let i = 0; i < 20; i += 1) createLogger('test', { level: 'silent' });
  expect(process.listenerCount('exit') - before).toBeLessThanOrEqual(1);
});

test('a reader that is stuck does not keep the process from ending', async () => {
  const pipe = join(await tempFolder(), 'pipe');
  await promisify(execFile)('mkfifo', [pipe]);
  const stuck = openSync(pipe, 'r+');
  const child = run(
    `const { LineWriter } = await import('${url('line-writer.ts')}');
     const writer = new LineWriter({ fd: 2 });
     const line = 'x'.repeat(1023) + '\\n';
     for (let i = 0; i < 512; i += 1) writer.write(line);
     writer.flushSync();
     process.kill(process.pid, 'SIGKILL');`,
    stuck,
  );
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  closeSync(stuck);
});
