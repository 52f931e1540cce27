import type { Kysely } from 'kysely';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import type { Logger } from '../shared/log/create-logger.ts';
import { openBroker } from '../shared/mqtt/open-broker.ts';
import { MqttCourier, type MqttCourierOptions } from './fleet/mqtt-courier.ts';
import type { OwnCredentials } from './fleet/pki/own-identity.ts';
import { BrokerRights } from './fleet/rights/broker-rights.ts';
import { ANSWERS, DynamicSecurity } from './fleet/rights/dynamic-security.ts';
import type { Database } from './store/database.ts';
import type { JobLeases } from './store/job-leases.ts';

const SETTLE_EVERY_MS = 60_000;

export interface ExternalBrokerOptions {
  readonly url: URL;
  /** This process's at the broker. */
  readonly name: string;
  readonly db: Kysely<Database>;
  readonly leases: JobLeases;
  readonly overhear: NonNullable<MqttCourierOptions['overhear']>;
  readonly logger: Logger;
}

/** A broker that stands apart, for any number of processes: the courier that goes through it, and the rights of boxes at it. */
export class ExternalBroker {
  readonly courier: MqttCourier;
  /** Of this process at the broker. */
  readonly name: string;
  /** It counts for itself. */
  readonly counts = null;
  readonly #options: ExternalBrokerOptions;
  readonly #rights: BrokerRights;
  #shown: OwnCredentials | undefined;
  #timer: NodeJS.Timeout | undefined;
  #settling: Promise<void> | undefined;

  constructor(options: ExternalBrokerOptions) {
    const { url, name, db, overhear, logger } = options;
    this.#options = options;
    this.name = name;
    const security = new DynamicSecurity((topic, payload) => this.courier.administer(topic, payload));
    this.#rights = new BrokerRights(db, security);
    this.courier = new MqttCourier({
      open: () => openBroker(url, this.#credentials()),
      name,
      kick: (device) => this.#settle(device),
      administration: { topic: ANSWERS, onMessage: (payload) => security.hear(payload), onConnect: () => this.#settleAll() },
      overhear,
      random: Math.random,
      logger,
    });
  }

  /** Where boxes find it. */
  urlBy(): string {
    return this.#options.url.href;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#settleAll(), SETTLE_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#settling;
  }

  /** Shows these from the next connection on. */
  show(credentials: OwnCredentials): void {
    this.#shown = credentials;
  }

  #credentials() {
    const shown = this.#shown;
    if (shown === undefined) throw new SecureGateError('broker_unavailable', 'The control plane has no certificate yet');
    return { ca: shown.ca.join(''), cert: shown.cert, key: Buffer.from(shown.key) };
  }

  /** Whoever was denied gets nothing any more in any case; where the broker is away, it is told when it is back. */
  async #settle(device: string): Promise<void> {
    try {
      await this.#rights.settle(device);
    } catch (error) {
      if (SecureGateError.from(error).code !== 'broker_unavailable') throw error;
      this.#options.logger.warn({ err: error, device }, 'the broker does not know the rights of a box yet');
    }
  }

  /** One at a time: a broker that hangs does not make them pile up. */
  #settleAll(): void {
    if (this.courier.problem !== null) return;
    this.#settling ??= this.#bringAll().finally(() => {
      this.#settling = undefined;
    });
  }

  async #bringAll(): Promise<void> {
    const { leases, logger } = this.#options;
    try {
      await leases.run('broker-rights', (lost) => this.#rights.settleAll(lost));
    } catch (error) {
      logger.warn({ err: SecureGateError.from(error) }, 'the broker does not know the rights of all boxes yet');
    }
  }
}
