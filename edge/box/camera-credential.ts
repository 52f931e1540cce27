import { mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { readSecretText } from '../../shared/config/read-secret-file.ts';
import { isMissing } from '../../shared/errors/is-missing.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { slugSchema } from '../../shared/ids/ids.ts';
import { writeFileDurably } from '../runtime/write-file-durably.ts';

/** Where credentials of cameras lie in the key folder, each in a file of its name. */
export const CREDENTIALS_FOLDER = 'cameras';
const FORM = /^([^:\r\n]+):([^\r\n]*)$/;

/**
 * Keeps user and password of a camera on this box under a name.
 * @param credential `user:password`
 * @throws {SecureGateError} `invalid_request`
 */
export function keepCameraCredential(folder: string, name: string, credential: string): void {
  if (!slugSchema.safeParse(name).success || !FORM.test(credential)) {
    throw new SecureGateError('invalid_request', 'A credential is user:password, under a name of lower-case letters, digits and dashes');
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileDurably(join(folder, name), Buffer.from(credential));
}

/** @returns the names of the credentials on this box */
export function cameraCredentials(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => slugSchema.safeParse(name).success);
  } catch (error) {
    if (!isMissing(error)) throw error;
    return [];
  }
}

/** @throws {SecureGateError} `camera_credential_missing` */
export function removeCameraCredential(folder: string, name: string): void {
  if (!cameraCredentials(folder).includes(name)) {
    throw new SecureGateError('camera_credential_missing', 'There is no such credential on this box', { details: { name } });
  }
  unlinkSync(join(folder, name));
}

/**
 * The address of a camera with the user and password that lie on this box under a name: the control plane knows the name alone.
 * @throws {SecureGateError} `camera_credential_missing`, `secret_file_unsafe`
 */
export function cameraAddress(url: string, name: string | null, folder: string): string {
  if (name === null) return url;
  const secret = readCredential(join(folder, name));
  const [, user, password] = FORM.exec(secret.toString('utf8')) ?? [];
  secret.fill(0);
  if (user === undefined || password === undefined) {
    throw new SecureGateError('camera_credential_missing', 'What lies there is not of the form user:password', { details: { name } });
  }
  return url.replace('://', `://${encodeURIComponent(user)}:${encodeURIComponent(password)}@`);
}

function readCredential(file: string): Buffer {
  try {
    return readSecretText({ file });
  } catch (error) {
    const { cause } = SecureGateError.from(error);
    if (!isMissing(cause)) throw error;
    throw new SecureGateError('camera_credential_missing', 'There is no such credential on this box', { cause });
  }
}
