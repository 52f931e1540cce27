import { existsSync, realpathSync, statSync } from 'node:fs';
import { sep } from 'node:path';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/**
 * Checks a folder of keys before anything in it is made or read.
 * @returns its real place
 * @throws {SecureGateError} `key_file_missing`; `key_file_unsafe` when others may write to it, or when it lies in the data folder: then a
 * copy of the data would carry its own keys
 */
export function keyFolder(keyDir: string, dataDir: string): string {
  if (!existsSync(keyDir)) throw new SecureGateError('key_file_missing', 'The key folder is not there', { details: { keyDir } });
  const folder = realpathSync(keyDir);
  const data = realpathSync(dataDir);
  if (folder === data || folder.startsWith(data.endsWith(sep) ? data : data + sep))
    throw unsafe('The key folder lies in the data folder', folder);
  const { mode, uid } = statSync(folder);
  if ((mode & 0o022) !== 0) throw unsafe('Others may write to the key folder', folder);
  if (uid !== process.getuid?.()) throw unsafe('The key folder belongs to another user', folder);
  return folder;
}

function unsafe(message: string, path: string): SecureGateError {
  return new SecureGateError('key_file_unsafe', message, { details: { path } });
}
