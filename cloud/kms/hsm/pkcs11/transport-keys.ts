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
  const [publicKey] = session.find(transportPublicKey(org));
  if (publicKey === undefined) throw new SecureGateError('hsm_refused', 'The HSM has half a transport key', { details: { org } });
  const [modulus = Buffer.alloc(0), exponent = Buffer.alloc(0)] = session.read(publicKey, 'CKA_MODULUS', 'CKA_PUBLIC_EXPONENT');
  return deviceKeyOf(modulus, exponent).key.export({ type: 'spki', format: 'pem' }).toString();
}

/** @throws {SecureGateError} `recovery_rejected` */
export function findTransportKey(session: Session, org: string): pkcs11.Handle {
  const [key] = session.find(transportPrivateKey(org));
  if (key === undefined) throw new SecureGateError('recovery_rejected', 'The HSM takes over no keys of this org', { details: { org } });
  return key;
}

export function destroyTransportKeyOf(session: Session, org: string): void {
  for (const key of [...session.find(transportPrivateKey(org)), ...session.find(transportPublicKey(org))]) {
    session.module.C_DestroyObject(session.handle, key);
  }
}
