import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { ClientCredentials } from '../../../shared/mqtt/open-broker.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** An authority of P-256 that makes a certificate in a millisecond: openssl takes a thousand of them half a minute. */
export class QuickCa {
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly pem: string;

  private constructor(keys: webcrypto.CryptoKeyPair, pem: string) {
    this.#keys = keys;
    this.pem = pem;
  }

  static async make(): Promise<QuickCa> {
    const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=Devices',
      keys,
      ...lifetime(),
      signingAlgorithm: P256,
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    });
    return new QuickCa(keys, certificate.toString('pem'));
  }

  async issue(commonName: string): Promise<ClientCredentials> {
    const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${commonName}`,
      issuer: 'CN=Devices',
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      ...lifetime(),
      signingAlgorithm: P256,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
    });
    const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    const pem = `-----BEGIN PRIVATE KEY-----\n${key.toString('base64')}\n-----END PRIVATE KEY-----\n`;
    return { ca: this.pem, cert: certificate.toString('pem'), key: Buffer.from(pem) };
  }
}

function lifetime(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
}
