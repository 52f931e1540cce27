import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { networkOf } from '../../../shared/http/network-of.ts';

interface Request {
  readonly ip: string;
  readonly raw: IncomingMessage;
}

/** The certificate whose key the other side has proved to hold; nobody has judged it yet. @throws {SecureGateError} `unauthenticated` */
export function shownCertificate(request: Request): X509Certificate {
  const shown = find(request);
  if (shown === undefined) throw new SecureGateError('unauthenticated', 'The connection shows no certificate of a box');
  return shown;
}

/** Whom a request is counted with: many boxes may share an address. */
export function networkOrCertificate(request: Request): string {
  return find(request)?.fingerprint256 ?? networkOf(request.ip);
}

function find({ raw: { socket } }: Request): X509Certificate | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
}
