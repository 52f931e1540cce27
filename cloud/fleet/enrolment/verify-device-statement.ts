import { createHash, createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { DEVICE_STATEMENT_TYPE, deviceStatementSchema, FLEET_AUDIENCE } from '../../../shared/fleet/device-statement.ts';
import { publicKeySchema } from '../../../shared/lease/public-key.ts';

const LEAST_BITS = 2048;
const MOST_BITS = 4096;

/** Who a box says that it is, and by which keys it will ask for its tenants' keys. */
export interface StatedDevice {
  readonly id: string;
  readonly name: string;
  /** SubjectPublicKeyInfo of its RSA key, base64url, and the SHA-256 of it. */
  readonly wrapKey: string;
  readonly wrap: string;
  /** Thumbprint (RFC 7638) of its signing key. */
  readonly jkt: string;
}

/**
 * Checks what a box says of itself (device-statement.ts): it is signed by the key that it carries, for this very certificate request.
 * @param request hash of the certificate request
 * @throws {SecureGateError} `enrolment_rejected`
 */
export async function verifyDeviceStatement(statement: string, request: string): Promise<StatedDevice> {
  try {
    const key = publicKeySchema.parse(decodeProtectedHeader(statement).jwk);
    const options = { algorithms: ['ES256'], typ: DEVICE_STATEMENT_TYPE, audience: FLEET_AUDIENCE };
    const { payload } = await jwtVerify(statement, await importJWK(key, 'ES256'), options);
    const { sub, name, wrap, csr } = deviceStatementSchema.parse(payload);
    if (csr !== request) throw new RangeError('It is for another certificate request');
    const spki = readWrapKey(wrap);
    return {
      ...{ id: sub, name, wrapKey: spki.toString('base64url') },
      wrap: createHash('sha256').update(spki).digest('base64url'),
      jkt: await calculateJwkThumbprint(key),
    };
  } catch (cause) {
    throw new SecureGateError('enrolment_rejected', 'This is not what a box says of itself', { cause });
  }
}

/** @returns its SubjectPublicKeyInfo, as the HSM will see it */
function readWrapKey(text: string): Buffer {
  const key = createPublicKey({ key: Buffer.from(text, 'base64url'), format: 'der', type: 'spki' });
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa' || modulusLength < LEAST_BITS || modulusLength > MOST_BITS || publicExponent !== 65537n) {
    throw new RangeError('The wrap key is RSA with 2048 to 4096 bits and the exponent 65537');
  }
  return key.export({ type: 'spki', format: 'der' });
}
