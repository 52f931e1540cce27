import { createPrivateKey, type KeyObject } from 'node:crypto';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** @param bytes PKCS#8, DER; they are wiped @throws {SecureGateError} `key_rejected` */
export function parseLinkKey(bytes: Buffer): KeyObject {
  try {
    const key = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  } catch (cause) {
    throw new SecureGateError('key_rejected', 'The key of the link cannot be read', { cause });
  } finally {
    bytes.fill(0);
  }
  throw new SecureGateError('key_rejected', 'The key of the link is not on P-256');
}
