import { createConnection } from 'node:net';
import { connect } from 'node:tls';
import { DOWN_CHANNELS, type DownChannel, downTopic, parseTopic, type UpChannel, upTopic } from '../../../shared/fleet/topics.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import { MqttLink } from '../../../shared/mqtt/mqtt-link.ts';
import type { ClientCredentials } from '../../../shared/mqtt/open-broker.ts';
import { BackOff } from '../../../shared/runtime/back-off.ts';
import type { BenchUplink } from './bench-box.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;

export interface OwnAddressUplinkOptions {
  readonly device: string;
  /** Of loopback: the broker limits how many come from one. */
  readonly address: string;
  readonly port: number;
  readonly credentials: ClientCredentials;
  readonly logger: Logger;
}

/** The link of a box over MQTT, from an address of its own; ended, it can be started again. */
export class OwnAddressUplink implements BenchUplink {
  readonly #options: OwnAddressUplinkOptions;
  #link: MqttLink | undefined;
  #onMessage: (channel: DownChannel, payload: Buffer) => Promise<void> = async () => undefined;
  #onConnect: () => Promise<void> = async () => undefined;
  /** Of the present connection, milliseconds since the Unix epoch. */
  connectedAt = 0;

  constructor(options: OwnAddressUplinkOptions) {
    this.#options = options;
  }

  get problem(): string | null {
    return this.#link === undefined ? 'stopped' : this.#link.problem;
  }

  start(): void {
    const { device, address, port, credentials, logger } = this.#options;
    const { ca, cert, key } = credentials;
    const link = new MqttLink({
      open: () => {
        const socket = createConnection({ host: '127.0.0.1', port, localAddress: address }).setNoDelay(true);
        return connect({ socket, host: '127.0.0.1', ca, cert, key, minVersion: 'TLSv1.2' });
      },
      clientId: device,
      session: 'forgotten',
      subscriptions: DOWN_CHANNELS.map((channel) => downTopic(device, channel)),
      onMessage: async (topic, payload) => {
        const parsed = parseTopic(topic);
        if (parsed?.direction === 'down') await this.#onMessage(parsed.channel, payload);
      },
      onConnect: async () => {
        this.connectedAt = Date.now();
        await this.#onConnect();
      },
      backOff: new BackOff(FIRST_WAIT_MS, LONGEST_WAIT_MS),
      logger,
    });
    this.#link = link;
    link.start();
  }

  async stop(): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    await link?.stop();
  }

  async publish(channel: UpChannel, payload: Buffer): Promise<void> {
    if (this.#link === undefined) throw new Error('stopped');
    await this.#link.publish(upTopic(this.#options.device, channel), payload);
  }

  async ask(payload: Buffer): Promise<void> {
    await this.#link?.say(upTopic(this.#options.device, 'requests'), payload);
  }

  onMessage(handler: (channel: DownChannel, payload: Buffer) => Promise<void>): void {
    this.#onMessage = handler;
  }

  onConnect(handler: () => Promise<void>): void {
    this.#onConnect = handler;
  }
}
