import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** @throws {SecureGateError} `command_timeout` where the work is not done in time; it may go on all the same */
export async function withinTime(work: Promise<void>, milliseconds: number): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new SecureGateError('command_timeout', 'This took too long')), milliseconds);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
