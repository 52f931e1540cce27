import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { type PublicKey, publicKeySchema } from '../../../../shared/lease/public-key.ts';
import type { LeaseSettings } from '../../protocol.ts';
import { readEnrolment } from './read-enrolment.ts';

/** A JWK Set (RFC 7517). */
const keySetSchema = z.object({ keys: z.array(publicKeySchema).min(1).max(8) });

/** By which a KMS signs leases. */
export interface KmsKeys {
  /** What comes now has to be signed by one of these. */
  readonly present: readonly PublicKey[];
  /** What came before still holds where one of these has signed it. */
  readonly known: readonly PublicKey[];
}

/**
 * The keys by which the KMS of this box signs leases, as they are now. Whoever writes a set of them into a file says himself which ones count.
 * @throws {SecureGateError} `file_unreadable`, `key_file_unsafe`, `not_enrolled`
 */
export function readKmsKeys(from: LeaseSettings['kmsKeys']): KmsKeys {
  if ('enrolment' in from) {
    const { leaseKeys: known } = readEnrolment(from.enrolment);
    return { present: known.slice(0, 1), known };
  }
  const path = from.keySet;
  try {
    const { keys } = keySetSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return { present: keys, known: keys };
  } catch (cause) {
    throw new SecureGateError('file_unreadable', 'The keys of the KMS cannot be read', { cause, details: { path } });
  }
}
