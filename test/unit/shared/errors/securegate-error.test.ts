import { describe, expect, test } from 'vitest';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';

describe('SecureGateError', () => {
  test('knows the status and the next step of its code', () => {
    const error = new SecureGateError('model_missing', 'no such file');
    expect(error).toMatchObject({ name: 'SecureGateError', status: 503, next: 'Run: securegate models pull' });
  });

  test('keeps what lay below', () => {
    const cause = new RangeError('deep');
    expect(new SecureGateError('internal', 'x', { cause }).cause).toBe(cause);
    expect('cause' in new SecureGateError('internal', 'x')).toBe(false);
  });

  test('crosses a process boundary and comes back as itself, without its cause', () => {
    const error = new SecureGateError('poor_face', 'too dark', { details: { reasons: ['blurred'] }, cause: new Error('secret path') });
    const wire = JSON.parse(JSON.stringify(error));
    expect(JSON.stringify(wire)).not.toContain('secret path');
    expect(SecureGateError.fromJSON(wire)).toMatchObject({ code: 'poor_face', message: 'too dark', details: { reasons: ['blurred'] } });
  });

  test.each(['no_such_code', 'toString', '__proto__'])('a code it does not know (%s) is internal', (code) => {
    expect(SecureGateError.fromJSON({ code, message: 'x' })).toMatchObject({ code: 'internal', status: 500 });
  });

  test('takes any thrown value', () => {
    const error = new SecureGateError('overloaded', 'x');
    expect(SecureGateError.from(error, 'internal')).toBe(error);
    const cause = new TypeError('t');
    expect(SecureGateError.from(cause, 'storage_failed')).toMatchObject({ code: 'storage_failed', message: 't', cause });
    expect(SecureGateError.from('text')).toMatchObject({ code: 'internal', message: 'text', cause: 'text' });
  });
});
