import { DOWN_CHANNELS, type DownChannel, downTopic, parseTopic, type UpChannel, upTopic } from '../../shared/fleet/topics.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { MqttLink } from '../../shared/mqtt/mqtt-link.ts';
import { type ClientCredentials, openBroker } from '../../shared/mqtt/open-broker.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import type { Uplink } from './uplink.ts';

const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 120_000;

export interface MqttUplinkOptions {
  readonly device: string;
  /** Where the broker is (`mqtts://host:port`), and by what the box shows who it is: read for each connection anew, since certificates live for days. */
  readonly url: () => URL;
  readonly credentials: () => ClientCredentials;
  /** Called when the broker does not let the box in. */
  readonly onRefused?: () => void;
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * The box's link to the cloud over MQTT. The broker keeps nothing for a box that is away: the ledger does, and sends what is missing
 * when the box says hello; a queue in the broker could only bring it twice, or bring what was cancelled since.
 */
export class MqttUplink implements Uplink {
  readonly #device: string;
  readonly #link: MqttLink;
  #onMessage: Parameters<Uplink['onMessage']>[0] = async () => undefined;
  #onConnect: Parameters<Uplink['onConnect']>[0] = async () => undefined;

  constructor({ url, device, credentials, onRefused, random, logger }: MqttUplinkOptions) {
    this.#device = device;
    this.#link = new MqttLink({
      open: () => openBroker(url(), credentials()),
      clientId: device,
      session: 'forgotten',
      subscriptions: DOWN_CHANNELS.map((channel) => downTopic(device, channel)),
      onMessage: (topic, payload) => this.#take(topic, payload),
      onConnect: () => this.#onConnect(),
      ...(onRefused ? { onRefused } : {}),
      backOff: new BackOff(FIRST_WAIT_MS, LONGEST_WAIT_MS, random),
      logger,
    });
  }

  /** Why the cloud is out of reach; null while it is not. */
  get problem(): string | null {
    return this.#link.problem;
  }

  /** For how long it is so, in milliseconds. */
  get forMs(): number {
    return this.#link.forMs;
  }

  start(): void {
    this.#link.start();
  }

  async stop(): Promise<void> {
    await this.#link.stop();
  }

  /** Connects anew with the certificate that is there now. */
  renew(): void {
    this.#link.reconnect();
  }

  /** @throws {SecureGateError} `broker_unavailable`, at once where the box is offline */
  async publish(channel: UpChannel, payload: Buffer): Promise<void> {
    await this.#link.publish(upTopic(this.#device, channel), payload);
  }

  async ask(payload: Buffer): Promise<void> {
    await this.#link.say(upTopic(this.#device, 'requests'), payload);
  }

  onMessage(handler: (channel: DownChannel, payload: Buffer) => Promise<void>): void {
    this.#onMessage = handler;
  }

  onConnect(handler: () => Promise<void>): void {
    this.#onConnect = handler;
  }

  async #take(topic: string, payload: Buffer): Promise<void> {
    const parsed = parseTopic(topic);
    if (parsed?.direction === 'down') await this.#onMessage(parsed.channel, payload);
  }
}
