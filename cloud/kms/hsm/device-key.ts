import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

const LEAST_BITS = 2048;
const MOST_BITS = 4096;

/** A device's RSA key, to which tenant keys are wrapped. */
export interface DeviceKey {
  readonly key: KeyObject;
  /** SHA-256 of its SubjectPublicKeyInfo (DER), base64url. */
  readonly fingerprint: string;
  /** Big-endian. */
  readonly modulus: Buffer;
  readonly exponent: Buffer;
}

/**
 * Reads a device's public key.
 * @param pem PEM of a SubjectPublicKeyInfo
 * @throws {SecureGateError} `device_untrusted` when it is no RSA key of 2048 to 4096 bits with the exponent 65537
 */
export function readDeviceKey(pem: string): DeviceKey {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new SecureGateError('device_untrusted', 'This is not a public key in PEM', { cause });
  }
  return asDeviceKey(key);
}

/** A key as the HSM holds it. @throws {SecureGateError} `device_untrusted` */
export function deviceKeyOf(modulus: Buffer, exponent: Buffer): DeviceKey {
  const jwk = { kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') };
  return asDeviceKey(createPublicKey({ key: jwk, format: 'jwk' }));
}

function asDeviceKey(key: KeyObject): DeviceKey {
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa' || modulusLength < LEAST_BITS || modulusLength > MOST_BITS || publicExponent !== 65537n) {
    throw new SecureGateError('device_untrusted', 'A device key is RSA with 2048 to 4096 bits and the exponent 65537');
  }
  const { n = '', e = '' } = key.export({ format: 'jwk' });
  const fingerprint = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  return { key, fingerprint, modulus: Buffer.from(n, 'base64url'), exponent: Buffer.from(e, 'base64url') };
}
