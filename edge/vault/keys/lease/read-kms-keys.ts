import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { type PublicKey, publicKeySchema } from '../../../../shared/lease/public-key.ts';

/** A JWK Set (RFC 7517). */
const keySetSchema = z.object({ keys: z.array(publicKeySchema).min(1).max(8) });

/**
 * The keys by which the KMS of this box signs leases.
 * @throws {SecureGateError} `file_unreadable`
 */
export function readKmsKeys(path: string): readonly PublicKey[] {
  try {
    return keySetSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).keys;
  } catch (cause) {
    throw new SecureGateError('file_unreadable', 'The keys of the KMS cannot be read', { cause, details: { path } });
  }
}
