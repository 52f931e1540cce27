import type { Duplex } from 'node:stream';
import { type DownChannel, downTopic, parseTopic, UP_CHANNELS, type UpChannel } from '../../shared/fleet/topics.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { MqttLink } from '../../shared/mqtt/mqtt-link.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import type { Courier } from './courier.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

export interface MqttCourierOptions {
  /** Opens the way to the broker: into the one of this process, or to another by TLS. */
  readonly open: () => Duplex;
  /** Client id of this process, the same after a restart: the broker keeps for it what it has not acknowledged. */
  readonly name: string;
  /** How the broker at hand ends a connection: MQTT knows no way. */
  readonly kick: (device: string, publish: MqttLink['publish']) => Promise<void>;
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * The courier over MQTT. The session is kept, because a broker acknowledges a box's message before anybody here has handled it. Each of
 * several processes on one broker gets every message; whoever handles them finds out what was handled.
 */
export class MqttCourier implements Courier {
  readonly #options: MqttCourierOptions;
  readonly #link: MqttLink;
  #handler: Parameters<Courier['onMessage']>[0] = async () => undefined;

  constructor(options: MqttCourierOptions) {
    this.#options = options;
    this.#link = new MqttLink({
      open: options.open,
      clientId: options.name,
      session: 'kept',
      subscriptions: UP_CHANNELS.map((channel) => `edge/v1/+/up/${channel}`),
      onMessage: (topic, payload) => this.#take(topic, payload),
      onConnect: async () => options.logger.info('connected to the broker'),
      backOff: new BackOff(FIRST_WAIT_MS, LONGEST_WAIT_MS, options.random),
      logger: options.logger,
    });
  }

  /** Why the broker is out of reach; null while it is not. */
  get problem(): string | null {
    return this.#link.problem;
  }

  start(): void {
    this.#link.start();
  }

  async stop(): Promise<void> {
    await this.#link.stop();
  }

  /** @throws {SecureGateError} `broker_unavailable` */
  async send(device: string, channel: DownChannel, payload: Buffer): Promise<void> {
    await this.#link.publish(downTopic(device, channel), payload);
  }

  /** @throws {SecureGateError} `broker_unavailable` */
  async answer(device: string, payload: Buffer): Promise<void> {
    await this.#link.say(downTopic(device, 'replies'), payload);
  }

  onMessage(handler: (device: string, channel: UpChannel, payload: Buffer) => Promise<void>): void {
    this.#handler = handler;
  }

  async kick(device: string): Promise<void> {
    await this.#options.kick(device, (topic, payload) => this.#link.publish(topic, payload));
  }

  async #take(topic: string, payload: Buffer): Promise<void> {
    const parsed = parseTopic(topic);
    if (parsed?.direction === 'up') await this.#handler(parsed.device, parsed.channel, payload);
  }
}
