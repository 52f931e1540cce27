import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { type Enrolment, enrolmentSchema } from '../../../../shared/fleet/enrolment.ts';
import { readKeyFile } from '../../../runtime/read-key-file.ts';

/**
 * What an enrolled box keeps of its control plane, as it is now: it comes anew with each certificate.
 * @throws {SecureGateError} `file_unreadable`, `key_file_unsafe`, `not_enrolled`
 */
export function readEnrolment(path: string): Enrolment {
  try {
    return enrolmentSchema.parse(JSON.parse(readKeyFile(path).toString()));
  } catch (cause) {
    const { code } = SecureGateError.from(cause);
    if (code === 'key_file_missing') throw new SecureGateError('not_enrolled', 'This box is not enrolled, and trusts no KMS', { cause });
    if (code === 'key_file_unsafe') throw cause;
    throw new SecureGateError('file_unreadable', 'What this box keeps of its control plane cannot be read', { cause, details: { path } });
  }
}
