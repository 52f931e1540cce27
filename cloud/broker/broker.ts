import type { X509Certificate } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { Aedes, type AuthenticateError, type Client, type PublishPacket } from 'aedes';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { type Denial, denialOfPublish, mayHear } from './authorise.ts';
import {
  BROKER_LIMITS,
  type BrokerLimits,
  CONNECT_MS,
  DRAIN_MS,
  LONGEST_KEEPALIVE_S,
  MESSAGES,
  MOST_EARLY_PACKETS,
  MOST_FIRST_BYTES,
  MOST_INFLIGHT,
  MOST_PACKET_BYTES,
  MOST_WAITING,
} from './broker-limits.ts';
import { Counts } from './counts.ts';
import { Door, type DoorCertificates, type Visitor } from './door.ts';
import { limitPackets } from './limit-packets.ts';
import { Pace } from './pace.ts';
import { SqlitePersistence } from './sqlite-persistence.ts';

/** How often connections are looked for whose certificate has ended. */
const LOOK_FOR_ENDED_MS = 5000;

/** The device of a connection that nobody knows: it may do nothing. */
const NOBODY = '';

/** Who may connect, asked with each connection. */
export interface KnownDevices {
  /** Whether the device is known and not denied, nor this certificate of it. */
  isAllowed(device: string, certificate: X509Certificate): Promise<boolean>;
}

export interface BrokerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** None as long as there are none: nobody comes in then. */
  readonly certificates: () => DoorCertificates | undefined;
  readonly devices: KnownDevices;
  /** Client id of the control plane in this process. */
  readonly controlPlane: string;
  /** Where sessions are remembered. */
  readonly file: string;
  readonly limits?: BrokerLimits;
  readonly now: () => number;
  readonly logger: Logger;
}

/**
 * The embedded MQTT 3.1.1 broker, of one control plane: several need one that stands apart. Boxes come in by mTLS, the control plane by
 * `connect` and by no other way. Device id, client id and the certificate's common name are the same.
 */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #door: Door;
  readonly #persistence: SqlitePersistence;
  /** Whose a connection is, also of one that has ended: what it sent last may still be under way. None for the control plane's. */
  readonly #visitors = new WeakMap<Duplex, Visitor | null>();
  readonly #paces = new WeakMap<Duplex, Pace>();
  readonly #open = new Map<TLSSocket, Visitor>();
  readonly counts = new Counts();
  #aedes: Aedes | undefined;
  #timer: NodeJS.Timeout | undefined;
  #port = 0;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#persistence = new SqlitePersistence(options.file, MOST_WAITING, () => this.counts.lost());
    this.#door = new Door({
      ...options.listen,
      certificates: options.certificates,
      limits: options.limits ?? BROKER_LIMITS,
      take: (socket, visitor) => this.#take(socket, visitor),
      onRefused: (reason) => this.counts.refused(reason),
      logger: options.logger,
    });
  }

  /** Where boxes connect. */
  get port(): number {
    return this.#port;
  }

  /** How many boxes are connected, or are being let in. */
  get connections(): number {
    return this.#open.size;
  }

  /** @throws {SecureGateError} `config_invalid`, `storage_failed` */
  async start(): Promise<void> {
    const aedes = this.#create();
    try {
      await aedes.listen();
    } catch (error) {
      throw SecureGateError.from(error, 'storage_failed');
    }
    this.#aedes = aedes;
    try {
      this.#port = await this.#door.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#timer = setInterval(() => this.#endOutlived(), LOOK_FOR_ENDED_MS);
    this.#options.logger.info({ port: this.#port }, 'broker listens');
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#door.stop();
    const aedes = this.#aedes;
    if (aedes === undefined) return;
    this.#aedes = undefined;
    await new Promise<void>((resolve) => aedes.close(resolve));
    await this.#endWhere(() => true);
    await this.#persistence.destroy();
  }

  /** Takes new certificates of its own and of the authorities, for connections from now on. @throws {SecureGateError} `config_invalid` */
  reload(): void {
    this.#door.reload();
  }

  /** A connection of the control plane, inside this process. @throws {SecureGateError} `broker_unavailable` */
  connect(): Duplex {
    const aedes = this.#aedes;
    if (aedes === undefined) throw new SecureGateError('broker_unavailable', 'The broker does not run');
    const [inside, outside] = duplexPair();
    // The two ends do not know of each other's end.
    inside.once('close', () => outside.destroy());
    outside.once('close', () => inside.destroy());
    this.#visitors.set(inside, null);
    aedes.handle(inside);
    return outside;
  }

  /** Ends a device's connections, also those that are just being let in. Who was denied before does not come back. */
  async kick(device: string): Promise<void> {
    await this.#endWhere((visitor) => visitor.device === device);
  }

  #create(): Aedes {
    const { logger } = this.#options;
    const aedes = new Aedes({
      persistence: this.#persistence,
      connectTimeout: CONNECT_MS,
      drainTimeout: DRAIN_MS,
      keepaliveLimit: LONGEST_KEEPALIVE_S,
      queueLimit: MOST_EARLY_PACKETS,
      maxInflightInbound: MOST_INFLIGHT,
      preConnect: (client, packet, done) => {
        const device = this.#deviceOf(client);
        if (device !== null) {
          // The ledger repeats what a device missed: nothing is kept for it, and nobody speaks for it when it is gone.
          packet.clean = true;
          if (packet.will !== undefined) this.#denied(device, 'will');
          delete packet.will;
        }
        done(null, true);
      },
      authenticate: (client, _username, _password, done) => {
        this.#authenticate(client).then(
          (refusal) => (refusal === undefined ? done(null, true) : done(refusal, null)),
          (error: unknown) => done(refusal(3, SecureGateError.from(error).message), null),
        );
      },
      authorizePublish: (client, packet, done) => {
        // Nobody's: the will of a client that was there before a restart.
        if (client === null) done(new Error('nobody has a will'));
        else this.#authorisePublish(client, packet, done);
      },
      authorizeSubscribe: (client, subscription, done) => {
        const device = this.#deviceOf(client);
        const may = device === null || mayHear(device, subscription.topic);
        if (!may) this.#denied(device, 'foreign topic');
        done(null, may ? subscription : null);
      },
      authorizeForward: (client, packet) => {
        const device = this.#deviceOf(client);
        return device === null || mayHear(device, packet.topic) ? packet : null;
      },
    });
    aedes.on('clientReady', (client) => {
      this.counts.connected();
      logger.debug({ client: client.id }, 'a client has connected');
    });
    for (const event of ['clientError', 'connectionError'] as const) {
      aedes.on(event, (client, error) => {
        this.counts.broken();
        logger.debug({ client: client.id, reason: error.message }, 'the connection of a client broke');
      });
    }
    aedes.on('publish', (_packet, client) => {
      if (client !== null) this.counts.received();
    });
    // An emitter as any other, although its types do not say that it tells of this.
    (aedes as EventEmitter).on('error', (error: unknown) =>
      logger.error({ err: SecureGateError.from(error) }, 'the broker failed at something'),
    );
    return aedes;
  }

  #take(socket: TLSSocket, visitor: Visitor): void {
    if (this.#aedes === undefined) {
      socket.destroy();
      return;
    }
    this.#visitors.set(socket, visitor);
    this.#paces.set(socket, new Pace(MESSAGES));
    this.#open.set(socket, visitor);
    socket.once('close', () => this.#open.delete(socket));
    const client = this.#aedes.handle(socket);
    limitPackets(socket, () => (client.connected ? MOST_PACKET_BYTES : MOST_FIRST_BYTES));
  }

  /** @returns why the client is not let in */
  async #authenticate(client: Client): Promise<AuthenticateError | undefined> {
    const { devices, controlPlane, logger } = this.#options;
    const visitor = this.#visitors.get(client.conn);
    if (visitor === undefined) return refusal(5, 'nobody knows this connection');
    if (visitor === null) return client.id === controlPlane ? undefined : refusal(2, 'this is not the control plane');
    const { device, certificate } = visitor;
    const reason = client.id !== device ? 'client id' : (await devices.isAllowed(device, certificate)) ? undefined : 'not allowed';
    if (reason === undefined) return undefined;
    this.counts.refused(reason);
    logger.warn({ device, reason, client: client.id.slice(0, 80) }, 'a device was refused');
    return reason === 'client id' ? refusal(2, reason) : refusal(5, reason);
  }

  /**
   * A client sends again for ever what it may not say where its connection is ended for it, as MQTT 3.1.1 has it. So it is acknowledged,
   * and the control plane hears of it in its place. Nothing more is read of a client that is too fast until its messages had their turn.
   */
  #authorisePublish(client: Client, packet: PublishPacket, done: (error?: Error | null) => void): void {
    const device = this.#deviceOf(client);
    if (device === null) {
      done();
      return;
    }
    const bytes = packet.payload.length;
    const denial = denialOfPublish(device, { topic: packet.topic, bytes, retain: packet.retain });
    if (denial !== undefined) {
      this.#denied(device, denial);
      packet.payload = JSON.stringify({ reason: denial, topic: packet.topic.slice(0, 200), bytes });
      packet.topic = `dead/v1/${device}`;
      packet.retain = false;
    }
    const waitMs = this.#paces.get(client.conn)?.wait(performance.now()) ?? 0;
    if (waitMs === 0) done();
    else setTimeout(() => done(client.closed ? new Error('gone before its turn') : null), waitMs);
  }

  #deviceOf({ conn }: Client): string | null {
    const visitor = this.#visitors.get(conn);
    return visitor === null ? null : (visitor?.device ?? NOBODY);
  }

  #denied(device: string, denial: Denial): void {
    this.counts.denied(denial);
    this.#options.logger.debug({ device, reason: denial }, 'a device may not do this');
  }

  #endOutlived(): void {
    const now = this.#options.now();
    void this.#endWhere(({ until }) => until <= now);
  }

  async #endWhere(predicate: (visitor: Visitor) => boolean): Promise<void> {
    const ended = [...this.#open].filter(([, visitor]) => predicate(visitor));
    await Promise.all(ended.map(([socket]) => new Promise((resolve) => socket.once('close', resolve).destroy())));
  }
}

function refusal(returnCode: number, reason: string): AuthenticateError {
  return Object.assign(new Error(reason), { returnCode });
}
