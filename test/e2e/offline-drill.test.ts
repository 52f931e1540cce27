import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { hasSoftTpm } from '../helpers/soft-tpm.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/drills/offline/main.ts', import.meta.url));

beforeAll(async () => {
  await embeddedModels();
}, 120_000);

async function drill(folder: string, ...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: folder } });
  onTestFinished(() => void child.kill('SIGTERM'));
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, stdout, stderr };
}

test('a box without its cloud holds to its leases as each level of enforcement promises, and the drill leaves nothing behind', {
  timeout: 300_000,
}, async () => {
  const folder = await tempFolder();
  const { code, stdout, stderr } = await drill(folder, '--json', '--quick');
  const [total, ...results] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .reverse();
  expect(results.map((result) => [result.case, result.enforcement, result.held]).reverse(), stdout + stderr).toEqual([
    ['cloud-gone', 'memory', true],
    ['rebooted', 'tpm', hasSoftTpm || null],
    ['copied-disk', 'software', true],
  ]);
  expect(total).toEqual(hasSoftTpm ? { cases: 3, held: 3 } : { cases: 2, held: 2 });
  expect(code).toBe(0);
  expect(await readdir(folder)).toEqual([]);
});
