import type { Duplex } from 'node:stream';
import { ErrorWithReasonCode, ErrorWithSubackPacket, MqttClient } from 'mqtt';
import { SecureGateError } from '../errors/securegate-error.ts';
import type { Logger } from '../log/create-logger.ts';
import type { BackOff } from '../runtime/back-off.ts';

/** A broker that says nothing for so long is taken for gone. */
const KEEPALIVE_S = 30;
const CONNECT_MS = 15_000;
const ACKNOWLEDGE_MS = 10_000;
/** For handlers that are at work when the link stops. */
const STOP_MS = 5000;
/** What a broker answers whom it does not let in: MQTT 3.1.1, 3.2.2.3. */
const NOT_AUTHORISED = 5;
/** A connection that held for so long was a good one: the next wait is a short one again. */
const STEADY_MS = 30_000;
/** One for all messages: to note where each was made takes longer than the rest of it. */
const LATER = new Error('acknowledged later');

export interface MqttLinkOptions {
  /** Opens the way to the broker, for each connection anew: so a new certificate is used from the next one on. */
  readonly open: () => Duplex;
  readonly clientId: string;
  /** Whether the broker keeps what comes in while the link is down. */
  readonly session: 'kept' | 'forgotten';
  readonly subscriptions: readonly string[];
  /** Subscriptions of which nothing is kept while the link is down, whatever the session. */
  readonly passing?: readonly string[];
  /**
   * A message is acknowledged when this has resolved. Where it rejects, the connection ends: the next one brings the message again
   * (session kept), or begins anew with `onConnect` (session forgotten).
   */
  readonly onMessage: (topic: string, payload: Buffer) => Promise<void>;
  /** Called with every connection, once subscribed. Where it rejects, the connection ends. */
  readonly onConnect: () => Promise<void>;
  /** Called when the broker says that it does not let this client in, or not hear what it subscribes to. */
  readonly onRefused?: () => void;
  readonly backOff: BackOff;
  readonly logger: Logger;
}

type PublishPacket = Parameters<MqttClient['handleMessage']>[0];

/**
 * A connection to an MQTT 3.1.1 broker that is made again whenever it is lost. Each has a client of its own: what a lost connection
 * had in hand fails at once and is never sent again behind the back of who sent it.
 */
export class MqttLink {
  readonly #options: MqttLinkOptions;
  readonly #handling = new Set<Promise<void>>();
  readonly #unacknowledged = new Set<(error: Error) => void>();
  #client: MqttClient | undefined;
  #problem: string | null = 'not connected yet';
  #changedAt = 0;
  #openedAt = 0;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: MqttLinkOptions) {
    this.#options = options;
  }

  /** Why there is no connection; null while there is one. */
  get problem(): string | null {
    return this.#problem;
  }

  /** For how long there has been a connection, or none. */
  get forMs(): number {
    return performance.now() - this.#changedAt;
  }

  /** Returns at once: that there is no broker is no reason not to start. */
  start(): void {
    this.#changedAt = performance.now();
    this.#connect();
  }

  /** Ends within seconds, whatever the broker or a handler does. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#client?.stream.destroy();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, STOP_MS);
    await Promise.race([Promise.allSettled([...this.#handling]), late]);
    clearTimeout(timer);
  }

  /** Connects anew, with the certificate that `open` takes now. */
  reconnect(): void {
    this.#client?.stream.destroy();
  }

  /**
   * Sends with QoS 1. Resolves when the broker has it.
   * @throws {SecureGateError} `broker_unavailable`, at once where there is no connection
   */
  publish(topic: string, payload: Buffer): Promise<void> {
    return this.#send(topic, payload, 1);
  }

  /**
   * Sends with QoS 0: no broker keeps it for anybody. Resolves when it is on its way.
   * @throws {SecureGateError} as `publish`
   */
  say(topic: string, payload: Buffer): Promise<void> {
    return this.#send(topic, payload, 0);
  }

  #send(topic: string, payload: Buffer, qos: 0 | 1): Promise<void> {
    const client = this.#client;
    if (!client?.connected) return Promise.reject(unavailable(this.#problem ?? 'connecting'));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(unavailable('it did not take a message in time')), ACKNOWLEDGE_MS);
    this.#unacknowledged.add(reject);
    client.publish(topic, payload, { qos }, (error) => (error ? reject(unavailable(error.message, error)) : resolve()));
    return promise.finally(() => {
      clearTimeout(timer);
      this.#unacknowledged.delete(reject);
    });
  }

  #connect(): void {
    this.#openedAt = performance.now();
    let client: MqttClient;
    try {
      client = this.#newClient();
    } catch (error) {
      this.#connectLater(error);
      return;
    }
    this.#client = client;
    let reason: unknown;
    client.handleMessage = (packet, next) => {
      this.#take(client, packet);
      // Told of an error, the client reads on without acknowledging: the next message must not wait for this one's handler, which
      // may itself wait for an acknowledgement.
      next(LATER);
    };
    client.on('error', (error) => {
      reason ??= error;
      client.stream.destroy();
    });
    client.on('connect', () => void this.#begin(client).catch((error) => client.emit('error', error)));
    client.once('close', () => {
      this.#client = undefined;
      if (isRefusal(reason)) this.#options.onRefused?.();
      this.#connectLater(reason);
    });
  }

  #newClient(): MqttClient {
    const { open, clientId, session } = this.#options;
    return new MqttClient(open, {
      clientId,
      clean: session === 'forgotten',
      protocolVersion: 4,
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_MS,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
    });
  }

  async #begin(client: MqttClient): Promise<void> {
    const { subscriptions, passing = [], onConnect } = this.#options;
    await client.subscribeAsync([...subscriptions], { qos: 1 });
    if (passing.length > 0) await client.subscribeAsync([...passing], { qos: 0 });
    this.#problem = null;
    this.#changedAt = performance.now();
    await onConnect();
  }

  #connectLater(cause: unknown): void {
    const { backOff, logger } = this.#options;
    const reason = cause instanceof Error ? cause.message : 'the connection was closed';
    if (this.#problem === null) this.#changedAt = performance.now();
    this.#problem = reason;
    for (const reject of this.#unacknowledged) reject(unavailable(reason));
    if (this.#stopped) return;
    if (performance.now() - this.#openedAt > STEADY_MS) backOff.reset();
    const waitMs = Math.round(backOff.next());
    logger.warn({ reason, waitMs }, 'no connection to the broker');
    this.#retry = setTimeout(() => this.#connect(), waitMs);
  }

  #take(client: MqttClient, { topic, payload, qos, messageId }: PublishPacket): void {
    const work = this.#options
      .onMessage(topic, Buffer.from(payload))
      .then(() => {
        if (qos === 1 && messageId !== undefined && client.connected) client.stream.write(puback(messageId));
      })
      .catch((error: unknown) => {
        this.#options.logger.error({ err: SecureGateError.from(error), topic }, 'a message could not be handled');
        client.emit('error', new Error('a message could not be handled'));
      })
      .finally(() => this.#handling.delete(work));
    this.#handling.add(work);
  }
}

function isRefusal(reason: unknown): boolean {
  return reason instanceof ErrorWithSubackPacket || (reason instanceof ErrorWithReasonCode && reason.code === NOT_AUTHORISED);
}

/** MQTT 3.1.1, 3.4. The client writes its own only where the next message waits for it. */
function puback(messageId: number): Buffer {
  return Buffer.from([0x40, 0x02, messageId >> 8, messageId & 0xff]);
}

function unavailable(reason: string, cause?: Error): SecureGateError {
  return new SecureGateError('broker_unavailable', `The broker cannot be reached: ${reason}`, { cause });
}
