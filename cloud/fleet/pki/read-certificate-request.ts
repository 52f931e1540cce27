import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { Pkcs10CertificateRequest } from '../../../shared/fleet/x509.ts';
import { keyHash } from './key-hash.ts';

const BASE64 = /^[A-Za-z0-9+/\s]+(?:={1,2}\s*)?$/;

/** All that is believed of a certificate request: whose key it is shows its signature. Names and extensions in it are not looked at. */
export interface CertificateRequest {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  /** See key-hash.ts. */
  readonly key: string;
  /** SHA-256 of the whole request, base64url. */
  readonly hash: string;
}

/**
 * Reads a certificate request as EST carries it (PKCS#10, RFC 2986, DER in base64).
 * @throws {SecureGateError} `enrolment_rejected` when it is none, its key is not on P-256, or it is not signed by that key
 */
export async function readCertificateRequest(text: string): Promise<CertificateRequest> {
  if (!BASE64.test(text)) throw rejected('The certificate request is not in base64');
  const der = Buffer.from(text, 'base64');
  const { request, key } = parse(der);
  // A weak key is refused before anything is computed with it.
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw rejected('The key of a certificate request is on P-256');
  }
  if (!(await isSignedByItsKey(request))) throw rejected('The certificate request is not signed by its own key');
  const hash = createHash('sha256').update(der).digest('base64url');
  return { publicKey: key.export({ type: 'spki', format: 'der' }), key: keyHash(key), hash };
}

function parse(der: Buffer): { request: Pkcs10CertificateRequest; key: KeyObject } {
  try {
    const request = new Pkcs10CertificateRequest(der);
    return { request, key: createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' }) };
  } catch (cause) {
    throw rejected('This is not a certificate request', cause);
  }
}

async function isSignedByItsKey(request: Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify(globalThis.crypto);
  } catch {
    return false;
  }
}

function rejected(message: string, cause?: unknown): SecureGateError {
  return new SecureGateError('enrolment_rejected', message, { cause });
}
