import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { startDemo } from '../helpers/start-demo.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** What runs with a temporary folder below this one. */
async function processesOf(folder: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const running = ids.map(async (id) =>
    (await read(`/proc/${id}/environ`)).includes(`TMPDIR=${folder}`) ? read(`/proc/${id}/cmdline`) : '',
  );
  return (await Promise.all(running)).filter((command) => command !== '');
}

/** Empty where the process has ended. */
function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}

test('a box that is told everything by its control plane keeps every promise, and the cloud counts without a name', {
  timeout: 300_000,
}, async () => {
  const folder = await tempFolder();
  const demo = startDemo(folder, '--with-cloud', '--once', '--json');
  const [stdout, stderr, [code]] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, 'exit')]);
  expect(stdout.trimEnd().split('\n'), stderr).toHaveLength(1);
  const result = JSON.parse(stdout);
  expect(result, stderr).toMatchObject({ cameras: 4, expected: 20, wrong: 0, crossTenant: 0, plaintextOnDisk: 0 });
  expect(result.recognised).toBeGreaterThanOrEqual(0.95 * result.expected);
  expect(result.cloud, stderr).toMatchObject({ miscounted: 0, namesInCloud: 0, commandsDone: 2 });
  expect(result.cloud.sightingsInCloud).toBe(result.cloud.sightingsOnBox);
  expect(result.cloud.sightingsOnBox).toBeGreaterThanOrEqual(result.expected);
  for (const ms of [result.cloud.enrolledMs, result.cloud.leasedMs]) expect(ms).toBeGreaterThan(0);
  expect(code, stderr).toBe(0);
  expect(await readdir(folder)).toEqual([]);
  expect(await processesOf(folder)).toEqual([]);
});

test('shows box and cloud at work, says what to try, and leaves nothing behind when its terminal is closed', {
  timeout: 240_000,
}, async () => {
  const folder = await tempFolder();
  const demo = startDemo(folder, '--with-cloud');
  const errors = text(demo.stderr);
  const exit = once(demo, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface(demo.stdout)) {
    // As often as there are lines: everybody in a group hears it, and the launcher passes it on.
    if (line.includes('(similarity')) demo.kill('SIGHUP');
    lines.push(line);
  }
  const stderr = await errors;
  expect(await exit, stderr).toEqual([0, null]);
  const said = lines.join('\n');
  expect(said).toMatch(/The control plane answers at http:\/\/127\.0\.0\.1:\d+/);
  expect(said).toMatch(/cloud devices deny demo box_\w+/);
  expect(await readdir(folder)).toEqual([]);
  expect(await processesOf(folder)).toEqual([]);
});
