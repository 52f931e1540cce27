import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Enrolment } from '../../shared/fleet/enrolment.ts';
import type { Telemetry as Report } from '../../shared/fleet/telemetry.ts';
import { type PublicKey, publicKeySchema } from '../../shared/lease/public-key.ts';
import type { ToldRecoveries } from '../../shared/lease/recovery.ts';
import { signJwt } from '../../shared/lease/sign-jwt.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Stats } from '../../shared/messages/events.ts';
import type { ClientCredentials } from '../../shared/mqtt/open-broker.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { SerialWork } from '../../shared/runtime/serial-work.ts';
import type { SignToken } from '../link/commands/acks.ts';
import type { CommandJournal } from '../link/commands/command-journal.ts';
import { type ChangeableBox, Convergence, type ConvergenceOptions } from '../link/desired/convergence.ts';
import type { DesiredJournal } from '../link/desired/desired-journal.ts';
import { EitherUplink } from '../link/either-uplink.ts';
import { askDenial } from '../link/enrolment/ask-denial.ts';
import { askRecoveries } from '../link/enrolment/ask-recoveries.ts';
import { followKeys } from '../link/enrolment/follow-keys.ts';
import { followRecoveries } from '../link/enrolment/follow-recoveries.ts';
import type { LinkFolder } from '../link/enrolment/link-folder.ts';
import { newestRecovery } from '../link/enrolment/newest-recovery.ts';
import { HttpsUplink } from '../link/https-uplink.ts';
import { KeyChanges } from '../link/key-changes.ts';
import { Link } from '../link/link.ts';
import { MqttUplink } from '../link/mqtt-uplink.ts';
import { Outbox } from '../link/outbox/outbox.ts';
import { RecoverySearch } from '../link/recovery-search.ts';
import { HandOvers } from '../link/requests/hand-overs.ts';
import { LinkLeaseCarrier } from '../link/requests/link-lease-carrier.ts';
import { Requests } from '../link/requests/requests.ts';
import { Telemetry } from '../link/telemetry.ts';
import type { Uplink } from '../link/uplink.ts';
import { LogAnchor } from '../link/witness/log-anchor.ts';
import { Witness } from '../link/witness/witness.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { Tpm } from '../runtime/tpm/tpm.ts';
import { commandExecutors } from './command-executors.ts';
import { heldKeys } from './held-keys.ts';
import type { Leases } from './leases.ts';
import { OutboxSources } from './outbox-sources.ts';
import type { Shredder } from './shredder.ts';
import type { Tenants } from './tenants.ts';
import { trustedNow } from './trusted-now.ts';

/** Until what was said is said again. */
const ANSWER_WAITS_MS = { first: 2000, longest: 300_000 };
/** The same for what nobody waits for: after an outage of all boxes the control plane has much to write down. */
const KEPT_WAITS_MS = { first: 10_000, longest: 300_000 };
/** How soon the daemon sees that somebody has enrolled the box, or that it has left. */
const LOOK_EVERY_MS = 2000;
/** How often it is asked, while the control plane is out of reach, whether its HSM is lost. */
const SEARCH_WAITS_MS = { first: 5000, longest: 60_000 };
/** When HTTPS is taken because MQTT does not reach the control plane, and how often it is asked. */
const HTTPS = { patienceMs: 120_000, askEveryMs: 30_000 };

export interface CloudLinkOptions {
  readonly folder: LinkFolder;
  readonly journal: () => CommandJournal;
  readonly desired: () => DesiredJournal;
  /** What the control plane can change of this box. */
  readonly box: ChangeableBox;
  readonly about: ConvergenceOptions['about'];
  readonly leases: Leases;
  /** Where the TPM of this box is; undefined where it uses none. */
  readonly tcti: string | undefined;
  readonly tenants: Tenants;
  /** How the box is now. */
  readonly telemetry: () => Promise<Report>;
  readonly shredder: Shredder;
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  readonly overHttps?: typeof HTTPS;
  readonly logger: Logger;
}

/** A link that is open. */
interface OpenLink {
  /** As it is now: read for each connection anew. */
  enrolment: Enrolment;
  readonly publicKey: PublicKey;
  readonly uplink: EitherUplink;
  readonly link: Link;
  readonly requests: Requests;
  readonly convergence: Convergence;
  readonly telemetry: Telemetry;
  readonly witness: Witness;
  readonly anchor: LogAnchor | undefined;
}

/**
 * The link to the control plane. It lives with the enrolment, which others write: it opens when the box enrols, goes on when its certificate
 * is renewed, and ends when the box leaves. Whatever becomes of it, the box does its work.
 */
export class CloudLink implements Part {
  readonly name = 'link';
  readonly #options: CloudLinkOptions;
  readonly #looks = new SerialWork();
  readonly #carrier: LinkLeaseCarrier;
  #timer: NodeJS.Timeout | undefined;
  /** To which the link was brought. */
  #enrolment: Enrolment | undefined;
  #open: OpenLink | undefined;
  /** What was wrong at the last look. */
  #trouble: string | undefined;

  constructor(options: CloudLinkOptions) {
    this.#options = options;
    // Those who lease know of one carrier, whichever link is open.
    this.#carrier = new LinkLeaseCarrier({ ask: (asked, gives) => this.#requests.ask(asked, gives) });
  }

  /** How it stands; null on a box that has none. */
  get state(): Stats['link'] {
    if (this.#open === undefined) return null;
    const { uplink, anchor } = this.#open;
    const { by, problem, forMs } = uplink;
    return { connected: by !== null, by, problem, forMs, anchor: anchor === undefined ? 'disk' : 'tpm' };
  }

  /** What speaks against the log of the control plane, and why it is not signed. */
  get warnings(): Stats['warnings'] {
    const trouble = this.#open?.witness.trouble;
    const reasons = [...this.#options.folder.log.accusations(), ...(trouble === undefined ? [] : [trouble])];
    return reasons.map((reason) => ({ tenant: null, reason }));
  }

  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looks.run(() => this.#close());
  }

  /** A tenant has opened or closed, or other models are at work. */
  boxChanged(): void {
    this.#open?.convergence.wake();
    this.#open?.telemetry.tell();
  }

  /** Brings the link to where the enrolment is now. What fails is tried again with the next look. */
  async look(): Promise<void> {
    const { logger } = this.#options;
    try {
      await this.#looks.run(() => this.#follow());
      this.#trouble = undefined;
    } catch (error) {
      const reason = SecureGateError.from(error);
      if (reason.message !== this.#trouble) logger.error({ err: reason }, 'this box has no link to its control plane; it is tried again');
      this.#trouble = reason.message;
    }
  }

  async #follow(): Promise<void> {
    const { folder, leases, logger } = this.#options;
    const enrolment = folder.find();
    if (isDeepStrictEqual(enrolment, this.#enrolment)) return;
    if (enrolment === undefined) {
      logger.warn('this box has left its org: its link ends');
      const anchor = this.#open?.anchor;
      await this.#close();
      await leases.left();
      await anchor?.forget();
    } else if (enrolment.mqtt === null) {
      logger.warn('the control plane has no broker: this box gets no commands');
      await this.#close();
    } else await this.#goOn(enrolment, folder.key.open());
    this.#enrolment = enrolment;
  }

  async #goOn(enrolment: Enrolment, key: KeyObject): Promise<void> {
    const publicKey = publicKeySchema.parse(createPublicKey(key).export({ format: 'jwk' }));
    const open = this.#open;
    if (open && open.enrolment.device === enrolment.device && isDeepStrictEqual(open.publicKey, publicKey)) {
      open.enrolment = enrolment;
      open.uplink.renew();
      return;
    }
    await this.#close();
    await this.#begin(enrolment, key, publicKey);
  }

  async #begin(enrolment: Enrolment, key: KeyObject, publicKey: PublicKey): Promise<void> {
    const {
      folder,
      journal,
      desired,
      box,
      about,
      leases,
      tcti,
      tenants,
      shredder,
      clock,
      random,
      overHttps = HTTPS,
      logger,
    } = this.#options;
    const { device, org } = enrolment;
    const onRefused = (): void => void this.#refused(open, key);
    const mqtt = new MqttUplink({
      device,
      url: () => new URL(open.enrolment.mqtt ?? ''),
      credentials: () => credentialsOf(open.enrolment, key),
      onRefused,
      random,
      logger,
    });
    const server = () => {
      const { cloud, authorities, certificate } = open.enrolment;
      return { cloud, authorities, credentials: { key, certificate } };
    };
    const https = new HttpsUplink({ server, onRefused, askEveryMs: overHttps.askEveryMs, random, logger });
    const uplink = new EitherUplink({ mqtt, https, patienceMs: overHttps.patienceMs, random, logger });
    const requests = new Requests({ uplink, now: clock.now, monotonic: clock.monotonic });
    // What a retired key signed is sent again under the one that counts.
    const commandKeys = (): readonly PublicKey[] => open.enrolment.commandKeys.slice(0, 1);
    const learn = (changes: readonly string[]): Promise<void> => this.#learn(open, changes);
    const now = (): number => trustedNow(clock, tenants);
    const recover = (lost: ToldRecoveries): Promise<void> => this.#recover(open, lost, now());
    const keys = (): ReturnType<typeof heldKeys> => heldKeys(leases, tenants);
    const signToken: SignToken = (type, claims) =>
      signJwt(type, claims, publicKey, async (input) => sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' }));
    const waits = (): BackOff => new BackOff(ANSWER_WAITS_MS.first, ANSWER_WAITS_MS.longest, random);
    const convergence = new Convergence({ device, org, uplink, commandKeys, journal: desired(), box, about, now, waits, logger });
    const auditKeys = (): readonly PublicKey[] => open.enrolment.auditKeys;
    const anchor = tcti === undefined ? undefined : new LogAnchor({ tpm: new Tpm(tcti), device, key, now });
    const recovery = (): string | undefined => newestRecovery(open.enrolment.recoveries)?.id;
    const keyChanges = new KeyChanges({ uplink, commandKeys, learn, recovery, recover, now, backOff: waits(), logger });
    const search = new RecoverySearch({
      isCutOff: () => uplink.problem !== null,
      ask: () => askRecoveries(open.enrolment, key),
      recover,
      backOff: new BackOff(SEARCH_WAITS_MS.first, SEARCH_WAITS_MS.longest, random),
      logger,
    });
    const handOvers = new HandOvers({
      requests,
      recoveries: () => open.enrolment.recoveries,
      keys,
      handOver: (tenant, signed) => leases.handOver(tenant, signed),
      now,
      backOff: waits(),
      logger,
    });
    const watching = { device, uplink, auditKeys, learn, memory: folder.log, anchor, sign: signToken, now };
    const witness = new Witness({ ...watching, backOff: waits(), logger });
    const telemetry = new Telemetry({ uplink, read: this.#options.telemetry, logger });
    const link = new Link({
      device,
      uplink,
      commandKeys,
      journal: journal(),
      executors: commandExecutors({ leases, tenants, shredder, sayHello: () => link.sayHello() }),
      sign: signToken,
      key: publicKey,
      keys,
      now,
      waits,
      parts: [requests, keyChanges, search, handOvers, convergence, witness, this.#outboxOf(uplink), telemetry],
      logger,
    });
    const open: OpenLink = { enrolment, publicKey, uplink, link, requests, convergence, telemetry, witness, anchor };
    this.#open = open;
    // Before the first step to the desired state, which may open a tenant.
    leases.enrolled(this.#carrier);
    await link.start();
    uplink.start();
  }

  /** The box counts on other keys, as those that it counted on have said. */
  async #learn(open: OpenLink, changes: readonly string[]): Promise<void> {
    const { folder, logger } = this.#options;
    const learned = await followKeys(folder.read(), changes);
    if (learned === undefined || this.#open !== open) return;
    const enrolment = { ...folder.read(), ...learned };
    folder.write(enrolment);
    // Nothing that a connection rests on has changed.
    open.enrolment = enrolment;
    this.#enrolment = enrolment;
    logger.warn(
      { keyChanges: learned.keyChanges.length },
      'the control plane signs with another key from now on, as the one before has signed',
    );
  }

  /** The HSM of the control plane is lost: the box believes the next one, where the recovery keys of its org want that, and connects anew. */
  async #recover(open: OpenLink, lost: ToldRecoveries, now: number): Promise<void> {
    const { folder, logger } = this.#options;
    if (this.#open !== open) return;
    const { length } = folder.read().recoveries;
    try {
      await followRecoveries(folder, lost, now);
    } finally {
      if (folder.read().recoveries.length > length)
        logger.warn('this box believes another HSM from now on, as the recovery keys of its org have signed');
      await this.look();
    }
  }

  /** Denied, the box hears no word of its KMS any more: where the control plane says so itself, its tenants do not wait for the end of their leases. */
  async #refused(open: OpenLink, key: KeyObject): Promise<void> {
    const { leases, logger } = this.#options;
    const denial = await askDenial(open.enrolment, key);
    if (denial === undefined || this.#open !== open) return;
    logger.error({ err: denial }, 'the control plane has denied this box');
    await leases.denied(denial);
  }

  #outboxOf(uplink: Uplink): Outbox {
    const { tenants, clock, random, logger } = this.#options;
    const sources = new OutboxSources(tenants);
    return new Outbox({
      uplink,
      sources: () => sources.list(),
      waits: () => new BackOff(KEPT_WAITS_MS.first, KEPT_WAITS_MS.longest, random),
      now: clock.now,
      monotonic: clock.monotonic,
      logger,
    });
  }

  async #close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await Promise.all([open?.link.stop(), open?.uplink.stop()]);
  }

  get #requests(): Requests {
    if (this.#open === undefined) throw new SecureGateError('broker_unavailable', 'This box has no link to its control plane');
    return this.#open.requests;
  }
}

function credentialsOf({ authorities, certificate }: Enrolment, key: KeyObject): ClientCredentials {
  return { ca: authorities.join(''), cert: certificate, key: Buffer.from(key.export({ type: 'pkcs8', format: 'pem' })) };
}
