import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/drills/main.ts', import.meta.url));

/** The most telling ones, of each kind; `npm run drill:faults` tries them all. */
const FAULTS = ['camera-killed', 'disk-full', 'power-cuts', 'clock-forward', 'model-gone', 'out-of-descriptors'];

async function drill(folder: string, ...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const env = { ...process.env, TMPDIR: folder, UV_THREADPOOL_SIZE: '128', MALLOC_PERTURB_: '165' };
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, stdout, stderr };
}

test('the box holds what it promises whatever breaks, and the drill leaves nothing behind', { timeout: 600_000 }, async () => {
  const folder = await tempFolder();
  const { code, stdout, stderr } = await drill(folder, '--json', '--quick', ...FAULTS.flatMap((name) => ['--only', name]));
  const lines = stdout.trimEnd().split('\n');
  const [total, ...results] = lines.map((line) => JSON.parse(line)).reverse();
  expect(results.map(({ fault }) => fault).sort(), stderr).toEqual([...FAULTS].sort());
  expect(results.filter(({ held }) => held === false)).toEqual([]);
  expect(total.held).toBe(total.faults);
  expect(code, stdout).toBe(0);
  expect(await readdir(folder)).toEqual([]);
});

test('a fault that nobody knows is wrong usage, and the known ones are told', async () => {
  const { code, stderr } = await drill(await tempFolder(), '--only', 'earthquake');
  expect(code).toBe(2);
  expect(stderr).toContain('camera-killed');
});
