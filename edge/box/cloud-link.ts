import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Enrolment } from '../../shared/fleet/enrolment.ts';
import { publicKeySchema } from '../../shared/lease/public-key.ts';
import { signJwt } from '../../shared/lease/sign-jwt.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Stats } from '../../shared/messages/events.ts';
import type { ClientCredentials } from '../../shared/mqtt/open-broker.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import type { CommandJournal } from '../link/commands/command-journal.ts';
import type { LinkFolder } from '../link/enrolment/link-folder.ts';
import { Link } from '../link/link.ts';
import { MqttUplink } from '../link/mqtt-uplink.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { commandExecutors } from './command-executors.ts';
import { heldKeys } from './held-keys.ts';
import type { Leases } from './leases.ts';
import type { Shredder } from './shredder.ts';
import type { Tenants } from './tenants.ts';
import { trustedNow } from './trusted-now.ts';

/** Until what was said is said again. */
const ANSWER_WAITS_MS = { first: 2000, longest: 300_000 };

export interface CloudLinkOptions {
  readonly folder: LinkFolder;
  readonly journal: () => CommandJournal;
  readonly leases: Leases;
  readonly tenants: Tenants;
  readonly shredder: Shredder;
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** The link to the control plane of a box that is enrolled when the daemon starts. Whatever becomes of it, the box does its work. */
export class CloudLink implements Part {
  readonly name = 'link';
  readonly #options: CloudLinkOptions;
  #enrolment: Enrolment | undefined;
  #uplink: MqttUplink | undefined;
  #link: Link | undefined;

  constructor(options: CloudLinkOptions) {
    this.#options = options;
  }

  /** How it stands; null on a box that has none. */
  get state(): Stats['link'] {
    if (this.#uplink === undefined) return null;
    const { problem, forMs } = this.#uplink;
    return { connected: problem === null, problem, forMs };
  }

  async start(): Promise<void> {
    const { folder, logger } = this.#options;
    try {
      const enrolment = folder.find();
      if (enrolment === undefined) return;
      if (enrolment.mqtt === null) return logger.warn('the control plane has no broker: this box gets no commands');
      await this.#open(enrolment, folder.key.open());
    } catch (error) {
      logger.error({ err: SecureGateError.from(error) }, 'this box has no link to its control plane');
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.#link?.stop(), this.#uplink?.stop()]);
  }

  /** Goes on with the new certificate, and with what came with it. */
  renewed(): void {
    if (this.#uplink === undefined) return;
    this.#enrolment = this.#options.folder.read();
    this.#uplink.renew();
  }

  async #open(enrolment: Enrolment, key: KeyObject): Promise<void> {
    const { journal, leases, tenants, shredder, clock, random, logger } = this.#options;
    const { device } = enrolment;
    const publicKey = publicKeySchema.parse(createPublicKey(key).export({ format: 'jwk' }));
    this.#enrolment = enrolment;
    const uplink = new MqttUplink({
      device,
      url: () => new URL(this.#known.mqtt ?? ''),
      credentials: () => credentialsOf(this.#known, key),
      random,
      logger,
    });
    const link = new Link({
      device,
      uplink,
      commandKeys: () => this.#known.commandKeys,
      journal: journal(),
      executors: commandExecutors({ leases, tenants, shredder, sayHello: () => link.sayHello() }),
      sign: (type, claims) => signJwt(type, claims, publicKey, async (input) => sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' })),
      keys: () => heldKeys(leases, tenants),
      now: () => trustedNow(clock, tenants),
      waits: () => new BackOff(ANSWER_WAITS_MS.first, ANSWER_WAITS_MS.longest, random),
      parts: [],
      logger,
    });
    await link.start();
    uplink.start();
    this.#uplink = uplink;
    this.#link = link;
  }

  get #known(): Enrolment {
    if (this.#enrolment === undefined) throw new SecureGateError('not_enrolled', 'This box is not enrolled');
    return this.#enrolment;
  }
}

function credentialsOf({ authorities, certificate }: Enrolment, key: KeyObject): ClientCredentials {
  return { ca: authorities.join(''), cert: certificate, key: Buffer.from(key.export({ type: 'pkcs8', format: 'pem' })) };
}
