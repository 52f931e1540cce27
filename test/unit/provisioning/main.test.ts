import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const MAIN = join(import.meta.dirname, '../../../provisioning/main.ts');

function securegate(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, UV_THREADPOOL_SIZE: '128', MALLOC_PERTURB_: '165' },
  });
}

test('lists its commands and exit codes', () => {
  const { status, stdout, stderr } = securegate('--help');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const command of ['edge', 'demo', 'models', 'enrol-face', 'doctor']) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  expect(stdout).toContain('Exit codes: 0 done, 1 failed');
});

test('tells its version', () => {
  expect(securegate('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([[], ['dotcor'], ['toString'], ['doctor', '--no-such-option'], ['edge'], ['models', 'no-such-command']])(
  'wrong usage ends with 2: %j',
  (...args: string[]) => {
    const { status, stdout, stderr } = securegate(...args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).not.toBe('');
  },
);

test('a failure ends with 1, its code and the next step', () => {
  const folder = mkdtempSync(join(tmpdir(), 'securegate-main-'));
  try {
    const config = join(folder, 'none.json');
    const forPeople = securegate('edge', '--config', config);
    expect(forPeople.status).toBe(1);
    expect(forPeople.stderr).toMatch(/^error: .*\[config_missing\]$/m);
    expect(forPeople.stderr).toMatch(/^next: /m);
    expect(forPeople.stderr).not.toMatch(/because:/);
    expect(securegate('edge', '--config', config, '--verbose').stderr).toMatch(/because: .*ENOENT/);

    const forPrograms = securegate('models', 'import', config, '--as', 'ultraface-320', '--json');
    expect(forPrograms.status).toBe(1);
    expect(forPrograms.stdout).toBe('');
    expect(JSON.parse(forPrograms.stderr).error).toMatchObject({ code: expect.any(String), next: expect.any(String) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
