import { SecureGateError } from '../shared/errors/securegate-error.ts';
import type { Logger } from '../shared/log/create-logger.ts';
import { Broker } from './broker/broker.ts';
import type { BrokerCounts } from './broker/counts.ts';
import type { DoorCertificates } from './broker/door.ts';
import type { Admission } from './fleet/enrolment/admission.ts';
import { MqttCourier, type MqttCourierOptions } from './fleet/mqtt-courier.ts';
import type { OwnCredentials } from './fleet/pki/own-identity.ts';

const CONTROL_PLANE = 'control-plane';

export interface EmbeddedBrokerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly admission: Admission;
  readonly file: string;
  readonly now: () => number;
  readonly overhear: NonNullable<MqttCourierOptions['overhear']>;
  readonly logger: Logger;
}

/** The broker of this process, and the courier that goes through it. */
export class EmbeddedBroker {
  readonly courier: MqttCourier;
  readonly #broker: Broker;
  #shown: OwnCredentials | undefined;

  constructor({ admission, ...options }: EmbeddedBrokerOptions) {
    const broker = new Broker({
      ...options,
      controlPlane: CONTROL_PLANE,
      certificates: () => this.#certificates(),
      devices: { isAllowed: (_device, certificate) => isAdmitted(admission.admit(certificate)) },
    });
    this.#broker = broker;
    this.courier = new MqttCourier({
      open: () => broker.connect(),
      name: CONTROL_PLANE,
      kick: (device) => broker.kick(device),
      overhear: options.overhear,
      random: Math.random,
      logger: options.logger,
    });
  }

  /** Where boxes find it. @param host by which they reach this process */
  urlBy(host: string): string {
    return `mqtts://${host}:${this.#broker.port}`;
  }

  get counts(): BrokerCounts & { readonly connections: number } {
    return { ...this.#broker.counts.read(), connections: this.#broker.connections };
  }

  /** @throws {SecureGateError} `config_invalid`, `storage_failed` */
  async start(): Promise<void> {
    await this.#broker.start();
  }

  async stop(): Promise<void> {
    await this.#broker.stop();
  }

  /** Shows these from now on, and lets in whom their authorities know. */
  show(credentials: OwnCredentials): void {
    this.#shown = credentials;
    this.#broker.reload();
  }

  #certificates(): DoorCertificates | undefined {
    return this.#shown && { cert: this.#shown.cert, key: Buffer.from(this.#shown.key), ca: this.#shown.ca };
  }
}

/** @throws what kept it from being found out */
async function isAdmitted(admitting: Promise<unknown>): Promise<boolean> {
  try {
    await admitting;
    return true;
  } catch (error) {
    if (['certificate_rejected', 'device_denied'].includes(SecureGateError.from(error).code)) return false;
    throw error;
  }
}
