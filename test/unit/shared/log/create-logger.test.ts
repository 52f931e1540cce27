import { expect, test } from 'vitest';
import { createLogger } from '../../../../shared/log/create-logger.ts';

function logged(write: (log: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = [];
  write(createLogger('test', { level: 'info', stream: { write: (line) => void lines.push(line) } }));
  return lines;
}

test('writes one JSON line a record', () => {
  const [line, ...rest] = logged((log) => log.info({ camera: 'hall-1' }, 'live'));
  expect(rest).toEqual([]);
  expect(JSON.parse(line ?? '')).toMatchObject({ part: 'test', pid: process.pid, camera: 'hall-1', msg: 'live' });
});

test('never writes a secret, a person or an address with credentials', () => {
  const secret = 'Zaphod-0b1a';
  const fields = ['key', 'tek', 'cek', 'dek', 'pin', 'secret', 'token', 'password', 'authorization', 'embedding', 'crop', 'name', 'url'];
  for (const field of fields) {
    const lines = logged((log) => {
      log.info({ [field]: secret }, 'x');
      log.warn({ customer: { [field]: secret } }, 'x');
      log.child({ tenant: 'a1' }).error({ [field]: secret }, 'x');
    });
    expect(lines, field).toHaveLength(3);
    expect(lines.join(''), field).not.toContain(secret);
  }
});

test('keeps its level', () => {
  expect(logged((log) => log.debug('x'))).toEqual([]);
});
