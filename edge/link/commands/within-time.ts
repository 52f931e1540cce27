import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** @throws {SecureGateError} `command_timeout` where the work is not done in time; it may go on all the same */
export async function withinTime<Result>(work: Promise<Result>, milliseconds: number): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new SecureGateError('command_timeout', 'This took too long')), milliseconds);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
