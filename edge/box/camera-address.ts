import { join } from 'node:path';
import { readSecretText } from '../../shared/config/read-secret-file.ts';
import { isMissing } from '../../shared/errors/is-missing.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

/**
 * The address of a camera with the user and password that lie on this box under a name (`user:password`, mode 0600): the control plane
 * knows the name alone.
 * @throws {SecureGateError} `camera_credential_missing`, `secret_file_unsafe`
 */
export function cameraAddress(url: string, credential: string | null, folder: string): string {
  if (credential === null) return url;
  const secret = read(join(folder, credential));
  const text = secret.toString('utf8');
  secret.fill(0);
  const colon = text.indexOf(':');
  if (colon < 1) throw new SecureGateError('camera_credential_missing', 'It is not of the form user:password', { details: { credential } });
  const [user, password] = [text.slice(0, colon), text.slice(colon + 1)].map(encodeURIComponent);
  return url.replace('://', `://${user}:${password}@`);
}

function read(file: string): Buffer {
  try {
    return readSecretText({ file });
  } catch (error) {
    const { cause } = SecureGateError.from(error);
    if (!isMissing(cause)) throw error;
    throw new SecureGateError('camera_credential_missing', 'There is no such credential on this box', { cause });
  }
}
