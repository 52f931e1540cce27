import type { DownChannel, UpChannel } from '../../shared/fleet/topics.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { HttpsUplink } from './https-uplink.ts';
import type { MqttUplink } from './mqtt-uplink.ts';
import type { Uplink } from './uplink.ts';

const LOOK_EVERY_MS = 1000;

export interface EitherUplinkOptions {
  readonly mqtt: MqttUplink;
  readonly https: HttpsUplink;
  /** For how long MQTT is waited for, and at most twice as long, so that not all boxes come at once when their broker is gone. */
  readonly patienceMs: number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** The link over MQTT; where that does not come about, over HTTPS until it does. */
export class EitherUplink implements Uplink {
  readonly #options: EitherUplinkOptions;
  #timer: NodeJS.Timeout | undefined;
  #onConnect: Parameters<Uplink['onConnect']>[0] = async () => undefined;

  constructor(options: EitherUplinkOptions) {
    this.#options = options;
  }

  /** By what the box is connected; null while it is not. */
  get by(): 'mqtt' | 'https' | null {
    const { mqtt, https } = this.#options;
    if (mqtt.problem === null) return 'mqtt';
    return https.problem === null ? 'https' : null;
  }

  /** Why the cloud is out of reach; null while it is not. */
  get problem(): string | null {
    return this.by === null ? this.#options.mqtt.problem : null;
  }

  /** For how long it is so, in milliseconds. */
  get forMs(): number {
    const { mqtt, https } = this.#options;
    return this.by === 'https' ? https.forMs : mqtt.forMs;
  }

  start(): void {
    const { mqtt, https, patienceMs, random, logger } = this.#options;
    const patience = patienceMs * (1 + random());
    mqtt.onConnect(async () => {
      await https.stop();
      await this.#onConnect();
    });
    https.onConnect(() => this.#onConnect());
    mqtt.start();
    this.#timer = setInterval(() => {
      if (mqtt.problem === null || mqtt.forMs < patience || https.isAsking) return;
      logger.warn({ reason: mqtt.problem }, 'MQTT does not reach the control plane: it is asked over HTTPS');
      https.start();
    }, LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    const { mqtt, https } = this.#options;
    clearInterval(this.#timer);
    await mqtt.stop();
    await https.stop();
  }

  /** Connects anew with the certificate that is there now. */
  renew(): void {
    this.#options.mqtt.renew();
  }

  /** @throws {SecureGateError} `broker_unavailable`, at once where the box is offline; `cloud_unavailable` */
  async publish(channel: UpChannel, payload: Buffer): Promise<void> {
    await this.#way.publish(channel, payload);
  }

  async ask(payload: Buffer): Promise<void> {
    await this.#way.ask(payload);
  }

  onMessage(handler: (channel: DownChannel, payload: Buffer) => Promise<void>): void {
    const { mqtt, https } = this.#options;
    mqtt.onMessage(handler);
    https.onMessage(handler);
  }

  onConnect(handler: () => Promise<void>): void {
    this.#onConnect = handler;
  }

  get #way(): Uplink {
    const { mqtt, https } = this.#options;
    return this.by === 'https' ? https : mqtt;
  }
}
