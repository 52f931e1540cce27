import pkcs11 from 'pkcs11js';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { deviceKeyOf } from '../device-key.ts';
import { newTransportPair, transportPrivateKey, transportPublicKey } from './attributes.ts';
import type { Session } from './session.ts';

/** Public key of an org's transport key, PEM; the pair is made unless it is there. */
export async function transportKeyOf(session: Session, org: string): Promise<string> {
  if (session.find(transportPrivateKey(org)).length === 0) {
    const { publicKey, privateKey } = newTransportPair(org);
    await session.module.C_GenerateKeyPairAsync(session.handle, { mechanism: pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN }, publicKey, privateKey);
  }
  const [modulus = Buffer.alloc(0), exponent = Buffer.alloc(0)] = session.read(
    findTransportPublicKey(session, org),
    'CKA_MODULUS',
    'CKA_PUBLIC_EXPONENT',
  );
  return deviceKeyOf(modulus, exponent).key.export({ type: 'spki', format: 'pem' }).toString();
}

/** @throws {SecureGateError} `recovery_rejected` */
export function findTransportPublicKey(session: Session, org: string): pkcs11.Handle {
  return present(session.find(transportPublicKey(org)), org);
}

/** @throws {SecureGateError} `recovery_rejected` */
export function findTransportKey(session: Session, org: string): pkcs11.Handle {
  return present(session.find(transportPrivateKey(org)), org);
}

export function destroyTransportKeyOf(session: Session, org: string): void {
  for (const key of [...session.find(transportPrivateKey(org)), ...session.find(transportPublicKey(org))]) {
    session.module.C_DestroyObject(session.handle, key);
  }
}

function present([key]: pkcs11.Handle[], org: string): pkcs11.Handle {
  if (key === undefined) throw new SecureGateError('recovery_rejected', 'The HSM takes over no keys of this org', { details: { org } });
  return key;
}
