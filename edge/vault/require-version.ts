import { SecureGateError } from '../../shared/errors/securegate-error.ts';

/**
 * Refuses a change that is based on something that has changed since.
 * @param based the version that the caller has seen; without one the change is made in any case
 * @throws {SecureGateError} `version_conflict`
 */
export function requireVersion(current: number, based: number | undefined): void {
  if (based === undefined || based === current) return;
  throw new SecureGateError('version_conflict', 'It has changed in the meantime', { details: { version: current } });
}
