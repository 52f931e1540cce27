import { readFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { readSecretFile } from '../../../shared/config/read-secret-file.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { cannotListen } from '../../../shared/http/cannot-listen.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { KmsConfig } from '../config/schema.ts';
import type { Listener } from './listener.ts';

const HANDSHAKE_MS = 10_000;

/**
 * TLS 1.3 (RFC 8446), for the named owners of a certificate of one authority alone. The handshake itself refuses nobody for his
 * certificate: so the reason can be told, to the log.
 */
export class TlsListener implements Listener {
  readonly #config: NonNullable<KmsConfig['tls']>;
  readonly #logger: Logger;
  #server: Server | undefined;

  constructor(config: NonNullable<KmsConfig['tls']>, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
  }

  /** @throws {SecureGateError} `config_invalid`, `secret_file_unsafe` */
  async start(take: (socket: Socket) => void): Promise<void> {
    const { host, port } = this.#config;
    const server = this.#create();
    this.#server = server;
    server.on('secureConnection', (socket) => {
      const reason = this.#refusal(socket);
      if (reason === undefined) return take(socket);
      this.#logger.warn({ reason, from: socket.remoteAddress }, 'a connection was refused');
      socket.on('error', () => undefined).destroy();
    });
    server.on('tlsClientError', ({ message }, socket) => {
      this.#logger.warn({ reason: message, from: socket.remoteAddress }, 'a connection was refused');
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(cannotListen(host, port, cause)));
      server.listen(port, host, resolve);
    });
    this.#logger.info({ host, port: (server.address() as AddressInfo).port }, 'listening with TLS');
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server?.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #create(): Server {
    const key = readSecretFile(this.#config.key);
    try {
      return createServer({
        cert: readFileSync(this.#config.cert),
        key,
        ca: readFileSync(this.#config.clientCa),
        minVersion: 'TLSv1.3',
        requestCert: true,
        rejectUnauthorized: false,
        handshakeTimeout: HANDSHAKE_MS,
      });
    } catch (cause) {
      throw new SecureGateError('config_invalid', 'The certificate of the KMS, its key or the authority of its clients cannot be used', {
        cause,
      });
    } finally {
      key.fill(0);
    }
  }

  #refusal(socket: TLSSocket): string | undefined {
    const { subject } = socket.getPeerCertificate();
    if (subject === undefined) return 'there is no client certificate';
    if (!socket.authorized) return `the client certificate does not hold: ${String(socket.authorizationError)}`;
    const name = String(subject.CN);
    return this.#config.clients.includes(name) ? undefined : `nobody of this name may ask: ${name}`;
  }
}
