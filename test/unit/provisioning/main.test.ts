import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const MAIN = join(import.meta.dirname, '../../../provisioning/main.ts');

function securegate(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    // What `enrol-face` reads: a name.
    input: 'Somebody\n',
    env: { ...process.env, UV_THREADPOOL_SIZE: '128', MALLOC_PERTURB_: '165' },
  });
}

/** Arguments of an enrolment that lacks nothing; later ones count. */
function enrolment(picture: string, ...more: string[]): string[] {
  const consent = ['--consent-notice', '1', '--consent-purpose', 'entry', '--consent-until', '2999-01-01'];
  return ['enrol-face', picture, '--config', picture, '--tenant', 'north', ...consent, ...more];
}

test('lists its commands and exit codes', () => {
  const { status, stdout, stderr } = securegate('--help');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const command of ['edge', 'demo', 'models', 'enrol-face', 'eval', 'admin-token', 'backup', 'doctor'])
    expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  expect(stdout).toContain('Exit codes: 0 done, 1 failed');
});

test.each([['edge'], ['kms'], ['cloud', 'run']])(
  'the help of %j says where the fields of its configuration are described',
  (...command) => {
    const { stdout } = securegate(...command, '--help');
    const [page = ''] = /Every field of the configuration: (\S+\.md)/.exec(stdout)?.slice(1) ?? [];
    expect(readFileSync(join(MAIN, '../..', page), 'utf8')).toContain(`\`securegate ${command.join(' ')} --config FILE\``);
  },
);

test('the help says which options have to be given', () => {
  const { stdout } = securegate('cloud', 'devices', 'models', '--help');
  expect(stdout).toMatch(/^ {2}--config <file> .*\(JSON\)\s+\(required\)$/m);
  expect(stdout).not.toMatch(/--own .*\(required\)/);
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

test('wrong usage is told as every other error is, for people and for programs', () => {
  expect(securegate('dotcor').stderr).toMatch(/^error: unknown command 'dotcor'[\s\S]*\[usage\]\nnext: Add --help .*\n$/);
  const forPrograms = securegate('demo', '--json');
  expect(forPrograms).toMatchObject({ status: 2, stdout: '' });
  expect(JSON.parse(forPrograms.stderr)).toEqual({
    error: { code: 'usage', message: '--json needs --once', next: expect.any(String), details: {} },
  });
});

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

    for (const [code, ...args] of [
      ['config_missing', 'edge', '--config', config],
      ['file_unreadable', 'models', 'import', config, '--as', 'ultraface-320'],
      ['file_unreadable', ...enrolment(config)],
      ['config_missing', ...enrolment(MAIN, '--config', config)],
    ] as const) {
      const forPrograms = securegate(...args, '--json');
      expect(forPrograms).toMatchObject({ status: 1, stdout: '' });
      expect(JSON.parse(forPrograms.stderr).error).toMatchObject({ code, next: expect.any(String) });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a name is no argument: arguments are in the process list', () => {
  expect(securegate(...enrolment(MAIN, '--name', 'Somebody')).status).toBe(2);
});

test.each(['06/07/2027', '2027', '2027-02-31', '30.6.2027', 'tomorrow', '2027-06-30T12:00'])('%s is no end of a consent', (date) => {
  const { status, stderr } = securegate(...enrolment(MAIN, '--consent-until', date));
  expect(status).toBe(2);
  expect(stderr).toContain('Not a date such as');
});
