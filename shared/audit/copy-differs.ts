import { SecureGateError } from '../errors/securegate-error.ts';

/** The copy of a log is not what was copied. @param object its name */
export function copyDiffers(object: string, how: 'other' | 'missing' | 'removed' | 'replaced'): SecureGateError {
  return new SecureGateError('log_copy_differs', 'The copy of the audit log is not what was copied', { details: { object, how } });
}
