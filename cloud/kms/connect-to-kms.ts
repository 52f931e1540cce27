import { createConnection, type Socket } from 'node:net';
import { connect } from 'node:tls';

/** Where a KMS is asked: the path of its Unix socket, or its address for TLS with the certificate by which one may. */
export type KmsAddress = string | KmsTlsAddress;

export interface KmsTlsAddress {
  /** As it stands in the certificate of the KMS. */
  readonly host: string;
  readonly port: number;
  /** PEM of the authority that signed the certificate of the KMS. */
  readonly ca: string;
  /** PEM of the caller's own certificate and its key. */
  readonly cert: string;
  readonly key: Buffer;
}

export function connectToKms(address: KmsAddress): Socket {
  return typeof address === 'string' ? createConnection(address) : connect({ ...address, minVersion: 'TLSv1.3' });
}
