import type { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../errors/securegate-error.ts';
import { readAuthority } from './read-authority.ts';

const ABSOLUTE = /^(?<scheme>https?):\/\/(?<authority>[^/?#]*)/i;

/** What a request is directed at. */
export interface RequestedHost {
  readonly name: string;
  /** Whether the TLS connection was opened for this very name (SNI). */
  readonly bySni: boolean;
}

/**
 * The host that a request is directed at (RFC 9110, 7.2 to 7.4). Whatever says it says the same: Host, a request target that is a
 * whole address, and the name that the TLS connection was opened for. One connection carries requests for no other.
 * @throws {SecureGateError} `invalid_request`, `misdirected_request`
 */
export function requestedHost({ raw, headers, protocol }: FastifyRequest): RequestedHost {
  const name = readAuthority(headers.host ?? '');
  if (name === undefined) throw new SecureGateError('invalid_request', 'The Host header holds no host name');
  if (!raw.url?.startsWith('/') && raw.url !== '*') {
    const { scheme, authority = '' } = ABSOLUTE.exec(raw.url ?? '')?.groups ?? {};
    if (scheme?.toLowerCase() !== protocol || readAuthority(authority) !== name) {
      throw new SecureGateError('invalid_request', 'The address that is asked for differs from the Host header');
    }
  }
  const { servername } = raw.socket as Partial<TLSSocket>;
  if (typeof servername !== 'string' || servername === '') return { name, bySni: false };
  if (servername.toLowerCase() !== name) throw new SecureGateError('misdirected_request', 'This connection is for another host name');
  return { name, bySni: true };
}
