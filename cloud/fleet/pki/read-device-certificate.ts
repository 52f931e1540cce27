import { X509Certificate } from 'node:crypto';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { idSchema } from '../../../shared/ids/ids.ts';
import type { Authority } from './authorities.ts';
import { keyHash } from './key-hash.ts';

/** RFC 5280, 4.2.1.12. */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** What a box's certificate says. */
export interface DeviceCertificate {
  readonly device: string;
  /** Lower-case hex. */
  readonly serial: string;
  /** See key-hash.ts. */
  readonly key: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * Reads the certificate that somebody showed in a TLS handshake, which has proved that he holds its key. That it is not the handshake
 * which judges the certificate has two reasons: a certificate that has ended still buys a new one, and OpenSSL tells one fault of several
 * alone, so that one of a rogue authority that has ended as well would look as if it had just ended.
 * @throws {SecureGateError} `certificate_rejected` when none of the authorities issued it to a box
 */
export function readDeviceCertificate(certificate: X509Certificate, authorities: readonly Authority[]): DeviceCertificate {
  const issued = authorities
    .map((authority) => new X509Certificate(authority.certificate))
    .some((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
  if (!issued) throw rejected('No authority of this fleet issued this certificate');
  const device = idSchema('box').safeParse(/^CN=(\S+)\nserialNumber=[0-9a-f]{64}$/.exec(certificate.subject)?.[1]);
  if (certificate.ca || !device.success || !(certificate.keyUsage ?? []).includes(CLIENT_AUTH)) {
    throw rejected('This is not the certificate of a box');
  }
  return {
    device: device.data,
    serial: certificate.serialNumber.toLowerCase(),
    key: keyHash(certificate.publicKey),
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
  };
}

function rejected(message: string): SecureGateError {
  return new SecureGateError('certificate_rejected', message);
}
