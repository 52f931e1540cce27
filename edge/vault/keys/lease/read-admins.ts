import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import type { AdminSet } from '../../../../shared/lease/admin-set.ts';
import type { LeaseSettings } from '../../protocol.ts';
import { readEnrolment } from './read-enrolment.ts';

/**
 * The keys of its org that this box has pinned.
 * @throws {SecureGateError} `admins_missing`, `not_enrolled`, `file_unreadable`, `key_file_unsafe`
 */
export function readAdmins(from: LeaseSettings['kmsKeys']): AdminSet {
  const admins = 'enrolment' in from ? readEnrolment(from.enrolment).admins : null;
  if (admins === null) throw new SecureGateError('admins_missing', 'This box was never told the keys of its org');
  return admins;
}
