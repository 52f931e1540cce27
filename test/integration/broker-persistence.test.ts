import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const CHECK = join(import.meta.dirname, '../fixtures/check-broker-persistence.ts');

test("the broker's memory passes the check that aedes has for one, with a restart before everything that is asked of it", () => {
  const { stdout, status } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', CHECK], { encoding: 'utf8', timeout: 60_000 });
  expect(stdout.match(/^\s*not ok .*/gm) ?? []).toEqual([]);
  expect(status).toBe(0);
  expect(Number(/^# pass (\d+)/m.exec(stdout)?.[1])).toBeGreaterThan(40);
});
