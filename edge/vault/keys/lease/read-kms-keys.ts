import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { enrolmentSchema } from '../../../../shared/fleet/enrolment.ts';
import { type PublicKey, publicKeySchema } from '../../../../shared/lease/public-key.ts';
import { readKeyFile } from '../../../runtime/read-key-file.ts';
import type { LeaseSettings } from '../../protocol.ts';

/** A JWK Set (RFC 7517). */
const keySetSchema = z.object({ keys: z.array(publicKeySchema).min(1).max(8) });

/**
 * The keys by which the KMS of this box signs leases, as they are now: those of an enrolled box come anew with each certificate.
 * @throws {SecureGateError} `file_unreadable`, `key_file_unsafe`, `not_enrolled`
 */
export function readKmsKeys(from: LeaseSettings['kmsKeys']): readonly PublicKey[] {
  const path = 'keySet' in from ? from.keySet : from.enrolment;
  try {
    if ('keySet' in from) return keySetSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).keys;
    return enrolmentSchema.parse(JSON.parse(readKeyFile(path).toString())).leaseKeys;
  } catch (cause) {
    const { code } = SecureGateError.from(cause);
    if (code === 'key_file_missing') throw new SecureGateError('not_enrolled', 'This box is not enrolled, and trusts no KMS', { cause });
    if (code === 'key_file_unsafe') throw cause;
    throw new SecureGateError('file_unreadable', 'The keys of the KMS cannot be read', { cause, details: { path } });
  }
}
