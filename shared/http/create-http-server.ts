import { readFileSync } from 'node:fs';
import { createServer as createHttp, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps, type ServerOptions as HttpsOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import { SecureGateError } from '../errors/securegate-error.ts';
import { limitConnections } from './limit-connections.ts';

const MOST_CONNECTIONS = 1024;
const MOST_CONNECTIONS_EACH = 256;

/** A client that keeps a server waiting holds a connection for no longer than this. */
export interface Timeouts {
  /** For the TLS handshake, and for the request's headers. */
  readonly headersMs: number;
  /** For the whole request. */
  readonly requestMs: number;
  /** While nothing goes either way, also because the client does not take its answer. */
  readonly idleMs: number;
}

/** Files of a certificate chain and of its private key, PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/**
 * For clients that may show a certificate, which the routes judge: the handshake proves its key and refuses nobody. The server's own
 * certificate is put in, and exchanged, while it runs (`setSecureContext`).
 */
export interface MutualTls {
  readonly mutual: true;
}

/**
 * A server that no client alone can keep busy: connections, headers and requests have limits.
 * @param tls without it, plain HTTP
 * @throws {SecureGateError} `config_invalid` when the certificate cannot be used
 */
export function createHttpServer(
  tls: TlsFiles | MutualTls | undefined,
  { headersMs, requestMs, idleMs }: Timeouts,
  handler: RequestListener,
): Server {
  const limits = {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(headersMs, 1000),
    keepAlive: true,
  };
  const server =
    tls === undefined ? createHttp(limits, handler) : createHttps({ ...limits, handshakeTimeout: headersMs, ...optionsOf(tls) }, handler);
  server.maxConnections = MOST_CONNECTIONS;
  server.timeout = idleMs;
  limitConnections(server, MOST_CONNECTIONS_EACH);
  return server;
}

function optionsOf(tls: TlsFiles | MutualTls): HttpsOptions {
  return 'mutual' in tls ? { requestCert: true, rejectUnauthorized: false } : readTls(tls);
}

function readTls({ cert, key }: TlsFiles): { cert: Buffer; key: Buffer; minVersion: 'TLSv1.2' } {
  try {
    const pair = { cert: readFileSync(cert), key: readFileSync(key) };
    createSecureContext(pair);
    return { ...pair, minVersion: 'TLSv1.2' };
  } catch (error) {
    throw new SecureGateError('config_invalid', 'The certificate of the API cannot be read, or its key belongs to another one', {
      cause: error,
      details: { cert, key },
    });
  }
}
