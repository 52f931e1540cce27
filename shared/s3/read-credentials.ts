import { z } from 'zod';
import { readSecretFile, type SecretSource } from '../config/read-secret-file.ts';
import { SecureGateError } from '../errors/securegate-error.ts';

const credentialsSchema = z.strictObject({
  accessKeyId: z.string().min(1).max(128),
  secretAccessKey: z.string().min(1).max(256),
  sessionToken: z.string().min(1).max(4096).optional(),
});

/** As whom a bucket is used. @throws {SecureGateError} `secret_file_unsafe`, `file_unreadable` */
export function readCredentials(source: SecretSource) {
  const secret = readSecretFile(source);
  try {
    const { sessionToken, ...pair } = credentialsSchema.parse(JSON.parse(secret.toString('utf8')));
    return sessionToken === undefined ? pair : { ...pair, sessionToken };
  } catch {
    // What is wrong with it would tell of what is in it.
    throw new SecureGateError('file_unreadable', 'The file does not hold the access key of an object store', { details: { source } });
  } finally {
    secret.fill(0);
  }
}
