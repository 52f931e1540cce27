import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';

const source = join(import.meta.dirname, '../../../provisioning');
let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'securegate-launch-'));
  mkdirSync(join(root, 'provisioning'));
  for (const file of ['launch.mjs', 'bootstrap.mjs', 'build-console.mjs', 'build-pkcs11.mjs', 'hold-lock.mjs'])
    cpSync(join(source, file), join(root, 'provisioning', file));
  writeFileSync(join(root, 'package.json'), JSON.stringify({ type: 'module', engines: { node: '>=18.0.0' }, securegate: {} }));
  writeFileSync(join(root, 'package-lock.json'), '{}');
  mkdirSync(join(root, 'node_modules'));
  // Stands in for npm: nothing has to be installed.
  writeFileSync(join(root, 'npm'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(
    join(root, 'provisioning/main.ts'),
    `import { readFileSync } from 'node:fs';
     const what: string = process.argv[2] ?? '';
     if (what === 'env') console.log(JSON.stringify({ args: process.argv.slice(2), node: process.execArgv, env: process.env }));
     if (what === 'limits') console.log(readFileSync('/proc/self/limits', 'utf8'));
     if (what === 'exit') process.exitCode = 7;
     if (what === 'die') process.kill(process.pid, 'SIGKILL');
     if (what === 'wait') {
       process.on('SIGTERM', () => process.exit(23));
       console.log('ready');
       setTimeout(() => undefined, 10_000);
     }`,
  );
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function launch(args: string[], env: NodeJS.ProcessEnv = {}): ChildProcessByStdio<null, Readable, null> {
  return spawn(process.execPath, [join(root, 'provisioning/launch.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: `${root}:${process.env.PATH}`, ...env },
  });
}

test('runs the command with what must be in the environment before Node starts', async () => {
  const { args, node, env } = JSON.parse(await text(launch(['env', '--json', 'a b']).stdout));
  expect(args).toEqual(['env', '--json', 'a b']);
  expect(node).toContain('--disable-sigusr1');
  expect(env).toMatchObject({
    UV_THREADPOOL_SIZE: '128',
    MALLOC_PERTURB_: '165',
    MALLOC_ARENA_MAX: '2',
    MALLOC_MMAP_THRESHOLD_: '262144',
    MALLOC_TRIM_THRESHOLD_: '1048576',
    ORT_DISABLE_TELEMETRY: '1',
  });
  expect(env.PATH.split(':')[0]).toBe(join(process.execPath, '..'));
  expect(env.NODE_OPTIONS).toBeUndefined();
});

test('leaves no core dump, wherever the limit was', async () => {
  const script = `ulimit -c unlimited 2>/dev/null; exec "$@"`;
  const started = [process.execPath, join(root, 'provisioning/launch.mjs'), 'limits', 'a b'];
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...started], { stdio: ['ignore', 'pipe', 'inherit'] });
  expect(await text(child.stdout)).toMatch(/^Max core file size +0 +0 /m);
});

test('leaves what somebody set alone', async () => {
  const { env } = JSON.parse(await text(launch(['env'], { UV_THREADPOOL_SIZE: '9', MALLOC_PERTURB_: '0' }).stdout));
  expect(env).toMatchObject({ UV_THREADPOOL_SIZE: '9', MALLOC_PERTURB_: '0' });
});

test('ends as its command ended', async () => {
  expect(await once(launch(['exit']), 'exit')).toEqual([7, null]);
  expect(await once(launch(['die']), 'exit')).toEqual([null, 'SIGKILL']);
});

test('hands signals on', async () => {
  const child = launch(['wait']);
  await once(createInterface(child.stdout), 'line');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([23, null]);
});
