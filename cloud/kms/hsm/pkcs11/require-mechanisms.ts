import pkcs11 from 'pkcs11js';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import type { Token } from './open-token.ts';

const NEEDED = [
  { name: 'CKM_AES_KEY_GEN', flags: pkcs11.CKF_GENERATE },
  { name: 'CKM_AES_KEY_WRAP_PAD', flags: pkcs11.CKF_WRAP | pkcs11.CKF_UNWRAP },
  { name: 'CKM_RSA_PKCS_OAEP', flags: pkcs11.CKF_WRAP | pkcs11.CKF_UNWRAP },
  { name: 'CKM_RSA_PKCS_KEY_PAIR_GEN', flags: pkcs11.CKF_GENERATE_KEY_PAIR },
  { name: 'CKM_SHA256', flags: pkcs11.CKF_DIGEST },
  { name: 'CKM_EC_KEY_PAIR_GEN', flags: pkcs11.CKF_GENERATE_KEY_PAIR },
  { name: 'CKM_ECDSA', flags: pkcs11.CKF_SIGN },
] as const;

/**
 * Refuses a token in which a tenant key could not stay inside, such as one that does not wrap.
 * @throws {SecureGateError} `hsm_unsuitable` with the mechanisms that are missing
 */
export function requireMechanisms({ module, slot, title }: Token): void {
  const offered = new Set(module.C_GetMechanismList(slot));
  const missing = NEEDED.filter(({ name, flags }) => {
    const mechanism = pkcs11[name];
    return !offered.has(mechanism) || (module.C_GetMechanismInfo(slot, mechanism).flags & flags) !== flags;
  }).map(({ name }) => name);
  if (missing.length > 0) {
    throw new SecureGateError('hsm_unsuitable', `${title} lacks what keeps tenant keys inside`, { details: { missing } });
  }
}
