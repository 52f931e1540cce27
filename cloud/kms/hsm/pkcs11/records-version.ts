import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { newRecordsVersion, recordsVersions } from './attributes.ts';
import type { Session } from './session.ts';

/** The highest number that is there; 0 where there is none yet. A crash may have left the one before it. */
export function readRecordsVersion(session: Session): number {
  return Math.max(0, ...session.find(recordsVersions()).map((object) => numberIn(session.read(object, 'CKA_VALUE')[0])));
}

/** Tokens keep data as it was made: the new number is put beside the old one, which goes after it. */
export function raiseRecordsVersion(session: Session, to: number): void {
  const old = session.find(recordsVersions());
  if (readRecordsVersion(session) >= to) return;
  session.module.C_CreateObject(session.handle, newRecordsVersion(to));
  for (const object of old) session.module.C_DestroyObject(session.handle, object);
}

function numberIn(value: Buffer | undefined): number {
  if (value?.length !== 8)
    throw new SecureGateError('hsm_refused', 'The HSM gives the version of the records in a form that is not known here');
  return Number(value.readBigUInt64BE());
}
