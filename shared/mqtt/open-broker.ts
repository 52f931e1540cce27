import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

const DEFAULT_PORT = 8883;

/** PEM; the key is wiped by who uses it. */
export interface ClientCredentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: Buffer;
}

/** Opens a TLS connection to a broker, for the owner of the certificate; a broker of another authority or name is refused with the reason. */
export function openBroker(url: URL, { ca, cert, key }: ClientCredentials): TLSSocket {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  try {
    return connect({
      host,
      port: Number(url.port || DEFAULT_PORT),
      ...(isIP(host) === 0 && { servername: host }),
      ca,
      cert,
      key,
      minVersion: 'TLSv1.2',
    }).setNoDelay(true);
  } finally {
    key.fill(0);
  }
}
