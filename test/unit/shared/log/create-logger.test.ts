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
      log.child({ [field]: secret }).error('x');
    });
    expect(lines, field).toHaveLength(4);
    expect(lines.join(''), field).not.toContain(secret);
  }
});

test('keeps its level', () => {
  expect(logged((log) => log.debug('x'))).toEqual([]);
});

test('changes nothing that it is given', () => {
  const record = { customer: { id: 'cus_1', name: 'Zaphod' }, cameras: ['hall-1', 'hall-2'], since: new Date(0) };
  const [line = ''] = logged((log) => log.info(record, 'x'));
  const told = { customer: { id: 'cus_1', name: '[redacted]' }, cameras: ['hall-1', 'hall-2'], since: '1970-01-01T00:00:00.000Z' };
  expect(JSON.parse(line)).toMatchObject(told);
  expect(record.customer).toEqual({ id: 'cus_1', name: 'Zaphod' });
});

test('tells an error with its code, its cause and its stack, and nothing secret that it carries', () => {
  const error = Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'storage_failed', token: 'Zaphod' });
  const [line = ''] = logged((log) => log.error({ err: error }, 'x'));
  const stack = expect.stringContaining('caused by: Error: inner');
  expect(JSON.parse(line)).toMatchObject({
    err: { type: 'Error', code: 'storage_failed', message: 'outer: inner', stack, token: '[redacted]' },
  });
});
