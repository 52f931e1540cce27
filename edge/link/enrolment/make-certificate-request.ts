import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator } from '../../../shared/fleet/x509.ts';

const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface MadeRequest {
  /** PKCS#10 (RFC 2986), DER in base64. */
  readonly request: string;
  /** SHA-256 of the DER, base64url. */
  readonly hash: string;
}

/** A request that shows whose key it is, and names nobody: who the box is, the control plane writes into its certificate. */
export async function makeCertificateRequest(key: KeyObject): Promise<MadeRequest> {
  const keys = {
    privateKey: key.toCryptoKey(ECDSA_P256, true, ['sign']),
    publicKey: createPublicKey(key).toCryptoKey(ECDSA_P256, true, ['verify']),
  };
  const made = await Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: ECDSA_P256 }, globalThis.crypto);
  const der = Buffer.from(made.rawData);
  return { request: der.toString('base64'), hash: createHash('sha256').update(der).digest('base64url') };
}
