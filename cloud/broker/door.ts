import { constants, type X509Certificate } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { cannotListen } from '../../shared/http/cannot-listen.ts';
import { limitConnections } from '../../shared/http/limit-connections.ts';
import { networkOf } from '../../shared/http/network-of.ts';
import { idSchema } from '../../shared/ids/ids.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { type BrokerLimits, CONNECT_MS } from './broker-limits.ts';

/** PEM. */
export interface DoorCertificates {
  readonly cert: string;
  readonly key: Buffer;
  /** The authorities of devices; several while one takes over from another. */
  readonly ca: readonly string[];
}

/** Whose connection it is, by its certificate. */
export interface Visitor {
  readonly device: string;
  readonly certificate: X509Certificate;
  /** When the certificate ends. */
  readonly until: number;
}

export interface DoorOptions {
  readonly host: string;
  readonly port: number;
  /** Read when the door opens and with every reload; while there are none, every handshake fails. */
  readonly certificates: () => DoorCertificates | undefined;
  readonly limits: BrokerLimits;
  readonly take: (socket: TLSSocket, visitor: Visitor) => void;
  readonly onRefused: (reason: string) => void;
  readonly logger: Logger;
}

/** CONNACK with `not authorized` (MQTT 3.1.1, 3.2.2.3): so the box can tell a refusal from a broken network. */
const NOT_AUTHORISED = Buffer.from([0x20, 0x02, 0x00, 0x05]);

/**
 * Lets in the owners of a living certificate of a device authority. The handshake itself refuses nobody for his certificate, so that
 * the reason reaches the log. There is no resumption, which would go on with what an earlier handshake had found.
 */
export class Door {
  readonly #options: DoorOptions;
  #server: Server | undefined;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** @returns the port @throws {SecureGateError} `config_invalid` */
  async start(): Promise<number> {
    const { host, port, limits, logger } = this.#options;
    const server = this.#create();
    this.#server = server;
    server.maxConnections = limits.connections;
    limitConnections(server, limits.connectionsEach);
    limitConnectRate(server, limits.connectsAMinute);
    server.on('secureConnection', (socket) => this.#look(socket));
    server.on('tlsClientError', ({ message }, socket) => {
      logger.debug({ reason: message, from: socket.remoteAddress }, 'a handshake failed');
      this.#options.onRefused('handshake');
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(cannotListen(host, port, cause)));
      server.listen(port, host, resolve);
    });
    return (server.address() as AddressInfo).port;
  }

  /** Takes nobody any more. */
  stop(): void {
    this.#server?.close();
  }

  /** From now on with the present certificates; who is inside stays. @throws {SecureGateError} `config_invalid`, with the old ones still in use */
  reload(): void {
    if (this.#server !== undefined) this.#showTo(this.#server);
  }

  #create(): Server {
    const server = createServer({ requestCert: true, rejectUnauthorized: false, handshakeTimeout: CONNECT_MS });
    this.#showTo(server);
    return server;
  }

  #showTo(server: Server): void {
    const certificates = this.#options.certificates();
    if (certificates === undefined) return;
    try {
      server.setSecureContext(secure(certificates));
    } catch (cause) {
      throw unusable(cause);
    } finally {
      certificates.key.fill(0);
    }
  }

  #look(socket: TLSSocket): void {
    const { take, onRefused, logger } = this.#options;
    socket.setNoDelay(true);
    const found = visitorOf(socket);
    if (typeof found !== 'string') {
      take(socket, found);
      return;
    }
    logger.warn({ reason: found, from: socket.remoteAddress }, 'a connection was refused');
    onRefused('certificate');
    socket.on('error', () => undefined).end(NOT_AUTHORISED, () => socket.destroy());
  }
}

/** @returns the reason where the certificate lets nobody in */
function visitorOf(socket: TLSSocket): Visitor | string {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return 'there is no client certificate';
  if (!socket.authorized) return `the client certificate does not hold: ${String(socket.authorizationError)}`;
  const device = commonNameOf(certificate);
  if (!idSchema('box').safeParse(device).success) return 'the certificate is not of a device';
  return { device, certificate, until: certificate.validToDate.getTime() };
}

/** Of a subject that has one common name; with several, each reader of the certificate would take another. */
function commonNameOf({ subject }: X509Certificate): string {
  const names = subject.split('\n').filter((line) => line.startsWith('CN='));
  return names.length === 1 ? (names[0] ?? '').slice('CN='.length) : '';
}

function secure({ cert, key, ca }: DoorCertificates) {
  return { cert, key, ca: [...ca], minVersion: 'TLSv1.2' as const, secureOptions: constants.SSL_OP_NO_TICKET };
}

function unusable(cause: unknown): SecureGateError {
  return new SecureGateError('config_invalid', 'The certificate of the broker, its key or the authorities of devices cannot be used', {
    cause,
  });
}

/** Drops the connections of a network beyond so many a minute, before anything is computed for them. */
function limitConnectRate(server: Server, most: number): void {
  const counts = new Map<string, number>();
  const timer = setInterval(() => counts.clear(), 60_000).unref();
  server.once('close', () => clearInterval(timer));
  server.prependListener('connection', (socket: Socket) => {
    const network = networkOf(socket.remoteAddress ?? '');
    const count = (counts.get(network) ?? 0) + 1;
    counts.set(network, count);
    if (count > most) socket.destroy();
  });
}
