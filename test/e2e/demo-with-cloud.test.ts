import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { startDemo } from '../helpers/start-demo.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

test('a box that its control plane tells everything keeps every promise, and the cloud counts without a name', {
  timeout: 300_000,
}, async () => {
  const folder = await tempFolder();
  const demo = startDemo(folder, '--with-cloud', '--once', '--json');
  const [stdout, stderr, [code]] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, 'exit')]);
  expect(stdout.trimEnd().split('\n'), stderr).toHaveLength(1);
  const result = JSON.parse(stdout);
  expect(result, stderr).toMatchObject({ cameras: 4, expected: 20, wrong: 0, crossTenant: 0, plaintextOnDisk: 0 });
  expect(result.cloud, stderr).toMatchObject({ miscounted: 0, namesInCloud: 0, commandsDone: 2 });
  expect(result.cloud.sightingsInCloud).toBe(result.cloud.sightingsOnBox);
  expect(result.cloud.sightingsOnBox).toBeGreaterThanOrEqual(result.expected);
  expect(code, stderr).toBe(0);
  expect(await readdir(folder)).toEqual([]);
});
