import Database from 'better-sqlite3';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** Any thrown value as a SecureGateError: a file that another process holds, or that cannot be written, has a code of its own. */
export function asStoreError(error: unknown): SecureGateError {
  if (error instanceof SecureGateError) return error;
  if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
    return new SecureGateError('data_folder_in_use', 'Another KMS holds these files', { cause: error });
  }
  return new SecureGateError('storage_failed', 'The records of the KMS cannot be read or written', { cause: error });
}
