import { createServer as createHttp, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps, type ServerOptions } from 'node:https';
import type { Certificates } from './certificates.ts';
import { limitConnections } from './limit-connections.ts';

const MOST_CONNECTIONS = 1024;
const MOST_CONNECTIONS_EACH = 256;
/**
 * For the next request. Longer than clients and load balancers keep a connection that they do not use (60 s): where the server ends it first, a
 * request that is just on its way is lost.
 */
const KEEP_ALIVE_MS = 75_000;

/** A client that keeps a server waiting holds a connection for no longer than this. */
export interface Timeouts {
  /** For the TLS handshake, and for the request's headers. */
  readonly headersMs: number;
  /** For the whole request. */
  readonly requestMs: number;
  /** While nothing goes either way, also because the client does not take its answer. */
  readonly idleMs: number;
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
 * @param certificates without them, plain HTTP
 * @throws {SecureGateError} `config_invalid` when a certificate cannot be used
 */
export function createHttpServer(
  certificates: Certificates | MutualTls | undefined,
  { headersMs, requestMs, idleMs }: Timeouts,
  handler: RequestListener,
): Server {
  const limits = {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(headersMs, 1000),
    keepAlive: true,
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
  const server =
    certificates === undefined ? createHttp(limits, handler) : serveTls(certificates, { ...limits, handshakeTimeout: headersMs }, handler);
  server.maxConnections = MOST_CONNECTIONS;
  server.timeout = idleMs;
  limitConnections(server, MOST_CONNECTIONS_EACH);
  return server;
}

function serveTls(certificates: Certificates | MutualTls, options: ServerOptions, handler: RequestListener): Server {
  if ('mutual' in certificates) return createHttps({ ...options, requestCert: true, rejectUnauthorized: false }, handler);
  // Without a name, and for one that has no certificate of its own, the server shows its default.
  const SNICallback: ServerOptions['SNICallback'] = (name, done) => done(null, certificates.contextFor(name));
  const server = createHttps({ ...options, SNICallback }, handler);
  certificates.serve(server);
  return server;
}
