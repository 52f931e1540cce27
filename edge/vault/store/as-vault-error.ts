import Database from 'better-sqlite3';
import type { ErrorCode } from '../../../shared/errors/codes.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

const STORAGE_ERRNO = new Set(['EACCES', 'EDQUOT', 'EIO', 'EISDIR', 'EMFILE', 'ENFILE', 'ENOENT', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EROFS']);

/** Any thrown value as a SecureGateError: errors of SQLite and of the file system get the code that tells the operator what to do. */
export function asVaultError(error: unknown): SecureGateError {
  if (error instanceof SecureGateError) return error;
  if (error instanceof Database.SqliteError) {
    const code = sqliteCode(error.code);
    return new SecureGateError(code, MESSAGES[code] ?? 'The database failed', { cause: error, details: { sqlite: error.code } });
  }
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && STORAGE_ERRNO.has(error.code)) {
    return new SecureGateError('storage_failed', 'A file of the vault cannot be read or written', {
      cause: error,
      details: { errno: error.code },
    });
  }
  return SecureGateError.from(error);
}

const MESSAGES: Partial<Record<ErrorCode, string>> = {
  data_folder_in_use: 'Another process holds the files of this vault',
  vault_corrupt: 'A database of this vault does not open with its key or is damaged',
  storage_failed: 'A database of this vault cannot be read or written',
};

function sqliteCode(code: string): ErrorCode {
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) return 'vault_corrupt';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'data_folder_in_use';
  if (/^SQLITE_(CANTOPEN|FULL|IOERR|NOMEM|PERM|READONLY)/.test(code)) return 'storage_failed';
  return 'internal';
}
