import { X509Certificate } from 'node:crypto';

/** Of the certificates of authorities those that stand for themselves; others lead from one authority to the next. */
export function selfSigned(certificates: readonly string[]): string[] {
  return certificates.filter((pem) => {
    const certificate = new X509Certificate(pem);
    return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
  });
}
