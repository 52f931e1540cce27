import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { type PublicKey, publicKeySchema } from '../../../../shared/lease/public-key.ts';
import type { LeaseSettings } from '../../protocol.ts';
import { readEnrolment } from './read-enrolment.ts';

/** A JWK Set (RFC 7517). */
const keySetSchema = z.object({ keys: z.array(publicKeySchema).min(1).max(8) });

/**
 * The keys by which the KMS of this box signs leases, as they are now.
 * @throws {SecureGateError} `file_unreadable`, `key_file_unsafe`, `not_enrolled`
 */
export function readKmsKeys(from: LeaseSettings['kmsKeys']): readonly PublicKey[] {
  if ('enrolment' in from) return readEnrolment(from.enrolment).leaseKeys;
  const path = from.keySet;
  try {
    return keySetSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).keys;
  } catch (cause) {
    throw new SecureGateError('file_unreadable', 'The keys of the KMS cannot be read', { cause, details: { path } });
  }
}
