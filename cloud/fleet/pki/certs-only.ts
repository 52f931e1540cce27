import { X509Certificate, X509Certificates } from '../../../shared/fleet/x509.ts';

/** Certificates as EST answers them (RFC 7030, 4.1.3): a CMS SignedData that signs nothing, DER in base64. */
export function certsOnly(certificates: readonly string[]): string {
  const list = new X509Certificates(certificates.map((pem) => new X509Certificate(pem)));
  return (list.export('base64').match(/.{1,76}/g) ?? []).join('\r\n');
}
