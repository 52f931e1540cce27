import type pkcs11 from 'pkcs11js';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { deviceKeyOf } from '../device-key.ts';
import { trustedKeys } from './attributes.ts';
import type { Session } from './session.ts';

/**
 * The trusted key of a fingerprint. The id is only a name: the fingerprint is made again from the key itself.
 * @throws {SecureGateError} `device_untrusted`
 */
export function findTrustedKey(session: Session, fingerprint: string): pkcs11.Handle {
  const key = session.find(trustedKeys(fingerprint)).find((object) => fingerprintOf(session, object) === fingerprint);
  if (key === undefined) {
    throw new SecureGateError('device_untrusted', 'The HSM does not trust the key of this device', { details: { fingerprint } });
  }
  return key;
}

export function fingerprintOf(session: Session, object: pkcs11.Handle): string {
  const [modulus = Buffer.alloc(0), exponent = Buffer.alloc(0)] = session.read(object, 'CKA_MODULUS', 'CKA_PUBLIC_EXPONENT');
  return deviceKeyOf(modulus, exponent).fingerprint;
}
