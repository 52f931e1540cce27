import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../../../../shared/errors/codes.ts';
import { formatCodes } from '../../../../shared/errors/format-codes.ts';

const root = join(import.meta.dirname, '../../../..');

test('the documented codes are those of the code', () => {
  expect(readFileSync(join(root, 'shared/errors/CODES.md'), 'utf8'), 'node shared/errors/format-codes.ts > shared/errors/CODES.md').toBe(
    formatCodes(),
  );
});

test('every code is used by some source', () => {
  const sources = execFileSync('git', ['ls-files', '--', 'edge', 'cloud', 'shared', 'models', 'provisioning'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file.endsWith('.ts') && file !== 'shared/errors/codes.ts')
    .map((file) => readFileSync(join(root, file), 'utf8').replaceAll(/^\s*(\*|\/\/).*$/gm, ''));
  expect(Object.keys(ERROR_CODES).filter((code) => !sources.some((text) => text.includes(`'${code}'`)))).toEqual([]);
});

test('every code tells what it means, what to do, and a status of an error', () => {
  for (const [code, { status, title, next }] of Object.entries(ERROR_CODES)) {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(title, code).not.toBe('');
    expect(next, code).toMatch(/[a-zA-Z]/);
  }
});
