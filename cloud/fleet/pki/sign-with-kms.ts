import type { webcrypto } from 'node:crypto';
import { type X509Certificate, type X509CertificateCreateParams, X509CertificateGenerator } from '../../../shared/fleet/x509.ts';
import type { KmsClient } from '../../kms/client.ts';

const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Which key of the HSM signs certificates of a generation of the authority. */
export type CaUse = 'ca' | `ca-${number}`;

/**
 * Makes a certificate (X.509 v3, RFC 5280) that a key in the HSM signs (ECDSA with SHA-256). Everything that stands in it is in
 * `fields`; nothing is taken from whoever asks for it but his public key.
 */
export async function signWithKms(
  kms: Pick<KmsClient, 'call'>,
  use: CaUse,
  fields: Required<Pick<X509CertificateCreateParams, 'serialNumber' | 'subject' | 'issuer' | 'notBefore' | 'notAfter' | 'extensions'>> & {
    /** SubjectPublicKeyInfo, DER. */
    readonly publicKey: Buffer;
  },
): Promise<X509Certificate> {
  const sign = async (_algorithm: unknown, _key: unknown, content: ArrayBuffer): Promise<Buffer> =>
    Buffer.concat((await kms.call('sign', { use, messages: [Buffer.from(content)] })).signatures);
  // The library asks for a Web Crypto; of that it calls this method alone, with the key that stands for the HSM's.
  const hsm = { subtle: { sign } } as unknown as webcrypto.Crypto;
  const signingKey = { type: 'private', algorithm: ECDSA_P256, extractable: false, usages: ['sign'] } as webcrypto.CryptoKey;
  return await X509CertificateGenerator.create({ ...fields, signingAlgorithm: ECDSA_P256, signingKey }, hsm);
}
