import { SecureGateError } from '../../shared/errors/securegate-error.ts';

/** What a process is told that has to be alone, and is not. */
export function inUse(cause?: unknown): SecureGateError {
  return new SecureGateError(
    'store_in_use',
    'Another control plane works on this database, which only one can do with SQLite or a broker of its own',
    {
      cause,
    },
  );
}
