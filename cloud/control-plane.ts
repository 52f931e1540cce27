import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { readSecretText } from '../shared/config/read-secret-file.ts';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import type { Timeouts } from '../shared/http/create-http-server.ts';
import { Idempotency } from '../shared/http/idempotency.ts';
import type { Logger } from '../shared/log/create-logger.ts';
import { RunningParts } from '../shared/runtime/running-parts.ts';
import { IssuerKeys } from '../shared/tokens/issuer-keys.ts';
import { CLOUD_AUDIENCE, TokenVerifier, type TrustedIssuer } from '../shared/tokens/token-verifier.ts';
import { AuditLog } from './audit/audit-log.ts';
import { KmsEntries } from './audit/kms-entries.ts';
import { LogHeads } from './audit/log-heads.ts';
import { LogTree } from './audit/log-tree.ts';
import type { CloudConfig } from './config/schema.ts';
import { EmbeddedBroker } from './embedded-broker.ts';
import { ExternalBroker } from './external-broker.ts';
import type { Courier } from './fleet/courier.ts';
import { DesiredStates } from './fleet/desired/desired-states.ts';
import { Devices } from './fleet/devices/devices.ts';
import { EnrolledBoxes } from './fleet/devices/enrolled-boxes.ts';
import { Admission } from './fleet/enrolment/admission.ts';
import { EnrolmentTokens } from './fleet/enrolment/enrolment-tokens.ts';
import { Enrolments, GRACE_MS } from './fleet/enrolment/enrolments.ts';
import { EstServer } from './fleet/est/est-server.ts';
import { Intake } from './fleet/intake/intake.ts';
import type { KnownBoxes } from './fleet/known-boxes.ts';
import { Ledger } from './fleet/ledger/ledger.ts';
import { Authorities } from './fleet/pki/authorities.ts';
import { IdentityUpkeep, type ShownIdentity } from './fleet/pki/identity-upkeep.ts';
import { Issuer } from './fleet/pki/issuer.ts';
import { OwnIdentity } from './fleet/pki/own-identity.ts';
import { Reception } from './fleet/reception.ts';
import { Mailboxes } from './fleet/relay/mailboxes.ts';
import { LeaseRequests } from './fleet/requests/lease-requests.ts';
import { listWitnesses } from './fleet/witness/list-witnesses.ts';
import { Witnesses } from './fleet/witness/witnesses.ts';
import type { PartState } from './http/cloud-api.ts';
import { CloudMetrics } from './http/metrics.ts';
import { startCloudApi } from './http/server.ts';
import { LocalIssuer } from './iam/local-issuer.ts';
import { ensureLocalOperator } from './iam/local-operator.ts';
import { People } from './iam/people.ts';
import { VerifiedTokens } from './iam/verified-tokens.ts';
import { KmsClient } from './kms/client.ts';
import { DeletionReceipts } from './shred/deletion-receipts.ts';
import { Erasures } from './shred/erasures.ts';
import { ShredJob } from './shred/shred-job.ts';
import { Shredding } from './shred/shredding.ts';
import { Shreds } from './shred/shreds.ts';
import { JobLeases } from './store/job-leases.ts';
import { openStore, type Store, type StoreAddress } from './store/open-store.ts';
import { StoredIdempotency } from './store/stored-idempotency.ts';
import { Hostnames } from './tenants/hostnames.ts';
import { Orgs } from './tenants/orgs.ts';
import { Tenants } from './tenants/tenants.ts';
import { timeKms } from './time-kms.ts';

/** How often keys that could not be made are tried again. */
const FINISH_EVERY_MS = 30_000;
const DAY_MS = 86_400_000;
const monotonic = (): number => performance.now();

export interface ControlPlaneOptions {
  readonly config: CloudConfig;
  readonly store: StoreAddress;
  /** Whose access tokens count alone, in place of those of this machine and of the configured issuer. */
  readonly issuer?: TrustedIssuer;
  /** Whose commands count, and what carries them, in place of the enrolled boxes and of the broker. */
  readonly fleet?: Fleet;
  /** How long the API waits for its clients. */
  readonly timeouts?: Timeouts;
  readonly now: () => number;
  readonly logger: Logger;
}

interface Fleet {
  readonly boxes: KnownBoxes;
  readonly courier: Courier;
}

interface FleetParts {
  readonly kms: Pick<KmsClient, 'call'>;
  readonly authorities: Authorities;
  readonly admission: Admission;
  readonly devices: Devices;
  readonly audit: AuditLog;
  /** Of the certificates of boxes. */
  readonly lifeMs: number;
  readonly broker: EmbeddedBroker | ExternalBroker | undefined;
  readonly mailboxes: Mailboxes;
}

/** The composition root of the control plane. */
export class ControlPlane {
  readonly #options: ControlPlaneOptions;
  readonly #running: RunningParts;
  #url = '';
  #fleetUrl = '';

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
    this.#running = new RunningParts(options.logger);
  }

  /** Where the API is reached. */
  get url(): string {
    return this.#url;
  }

  /** Where boxes enrol; empty where the configuration has no server for them. */
  get fleetUrl(): string {
    return this.#fleetUrl;
  }

  /** @throws {SecureGateError} `storage_failed`, `store_newer`, `config_invalid` */
  async start(): Promise<void> {
    await this.#running.begin(() => this.#start());
  }

  /** @returns whether every part stopped cleanly */
  async stop(): Promise<boolean> {
    return await this.#running.end();
  }

  async #start(): Promise<void> {
    const { config, now, logger, issuer, fleet, timeouts } = this.#options;
    const metrics = new CloudMetrics();
    await this.#running.start(metrics);
    const store = await openStore(this.#options.store, (outcome, seconds) => metrics.tookQuery(outcome, seconds));
    this.#running.add(() => store.close());
    const client = new KmsClient(config.kms.socket);
    this.#running.add(() => client.close());
    const kms = timeKms(client, (operation, outcome, seconds) => metrics.tookKmsCall(operation, outcome, seconds));
    const tenants = new Tenants(store.db, kms, now);
    const leases = new JobLeases(store.db, { owner: randomUUID(), now });
    this.#finishTenants(tenants, leases);
    const hostnames = new Hostnames(store.db, monotonic);
    const people = new People(store.db, now);
    const lifeMs = config.certificateDays * DAY_MS;
    const authorities = new Authorities({ db: store.db, kms, longestAbsenceMs: lifeMs + GRACE_MS, now, random: randomBytes });
    const admission = new Admission(store.db, authorities, now);
    const mailboxes = new Mailboxes({ monotonic, random: randomBytes });
    const broker = this.#newBroker(store, admission, leases, mailboxes);
    const courier = fleet?.courier ?? broker?.courier;
    const devices = new Devices(store.db, kms, courier, now);
    const audit = new AuditLog({ db: store.db, now, random: randomBytes });
    const logTree = new LogTree(store.db);
    const kmsEntries = new KmsEntries({ db: store.db, kms, now, random: randomBytes, logger });
    const logHeads = new LogHeads({ db: store.db, tree: logTree, kms, kmsEntries, now, random: randomBytes, logger });
    await this.#running.start(logHeads);
    await this.#startFleet(store, { kms, authorities, admission, devices, audit, lifeMs, broker, mailboxes });
    await ensureLocalOperator(people);
    const boxes = fleet?.boxes ?? new EnrolledBoxes(store.db);
    const ledger = new Ledger({ boxes, courier, audit, db: store.db, kms, now, random: Math.random, logger });
    await this.#running.start(ledger);
    const desired = new DesiredStates({ boxes, courier, db: store.db, kms, now, random: Math.random, logger });
    await this.#running.start(desired);
    const intake = new Intake({ db: store.db, kms, courier, leases, now, logger });
    await this.#running.start(intake);
    if (courier) {
      const leaseRequests = new LeaseRequests({ courier, kms, monotonic, logger });
      const witnesses = new Witnesses({ db: store.db, courier, audit, tree: logTree, heads: logHeads, now, logger });
      const takers = [ledger.takers, desired.takers, leaseRequests.takers, intake.takers, witnesses.takers];
      await this.#running.start(new Reception({ courier, boxes, takers, logger }));
    }
    const decided = { db: store.db, onWaiting: () => shredJob.wake(), now };
    const shreds = new Shreds(decided);
    const erasures = new Erasures({ ...decided, kms, commands: ledger.commands });
    const shredding = new Shredding({ db: store.db, kms, tenants, commands: ledger.commands, desired, now, logger });
    const shredJob = new ShredJob({ lookers: [shredding, erasures], leases, logger });
    await this.#running.start(shredJob);
    // What it brings is heard from here on.
    broker?.courier.start();
    this.#running.add(() => broker?.courier.stop());
    const context = {
      kms,
      ledger,
      desired,
      intake,
      shreds,
      erasures,
      deletionReceipts: new DeletionReceipts({ db: store.db, kms, shreds, erasures, tree: logTree, heads: logHeads, now }),
      tenants,
      orgs: new Orgs(store.db, now),
      people,
      devices,
      enrolmentTokens: new EnrolmentTokens({ db: store.db, authorities, now, random: randomBytes }),
      authorities,
      audit,
      logTree,
      logHeads,
      witnesses: (org: string) => listWitnesses(store.db, org),
      idempotency: new Idempotency(new StoredIdempotency(store.db, now), ({ account }) => account?.id),
      readiness: async () => [await stateOfStore(store), await stateOfKms(kms), ...(broker ? [stateOf(broker)] : [])],
    };
    const issuers = issuer === undefined ? await this.#issuers() : [issuer];
    const verifier = new TokenVerifier(issuers, CLOUD_AUDIENCE, now);
    const api = await startCloudApi({
      context,
      tokens: new VerifiedTokens(verifier, now),
      listen: config.api,
      findVenue: (hostname) => hostnames.find(hostname),
      rateLimits: config.api.rateLimits,
      corsOrigins: config.api.corsOrigins,
      pressure: config.api.pressure,
      metrics: {
        metrics,
        figures: async () => ({
          connections: store.connections(),
          unfinishedTenants: await tenants.unfinished(),
          broker: broker?.counts ?? null,
          uplinkRefused: intake.refused,
        }),
        token: config.metrics && readSecretText(config.metrics.token),
      },
      timeouts,
      version: readVersion(),
      now,
      monotonic,
      logger,
    });
    this.#running.add(() => api.stop());
    this.#url = api.url;
  }

  /** This machine signs tokens for whoever works on it; the configured issuer does for everybody else. */
  async #issuers(): Promise<TrustedIssuer[]> {
    const { config, now, logger } = this.#options;
    const local = await LocalIssuer.open(config.dataDir).trusted();
    if (config.issuer === undefined) return [local];
    const keys = new IssuerKeys({ config: config.issuer, file: join(config.dataDir, 'issuer-keys.json'), now, logger });
    this.#running.add(() => keys.stop());
    await keys.start();
    return [local, keys.trusted];
  }

  #newBroker({ db }: Store, admission: Admission, leases: JobLeases, mailboxes: Mailboxes): EmbeddedBroker | ExternalBroker | undefined {
    const {
      config: { fleet, dataDir },
      now,
      logger,
    } = this.#options;
    if (fleet?.broker === undefined) return undefined;
    const overhear: Mailboxes['put'] = (...message) => mailboxes.put(...message);
    if ('url' in fleet.broker) {
      return new ExternalBroker({ url: new URL(fleet.broker.url), name: fleet.broker.name, db, leases, overhear, logger });
    }
    return new EmbeddedBroker({ listen: fleet.broker, admission, file: join(dataDir, 'broker.db'), now, overhear, logger });
  }

  /** The servers for boxes, where the configuration has them. */
  async #startFleet({ db }: Store, { kms, authorities, admission, devices, audit, lifeMs, broker, mailboxes }: FleetParts): Promise<void> {
    const {
      config: { fleet },
      now,
      logger,
    } = this.#options;
    if (fleet === undefined) return;
    const issuer = new Issuer({ authorities, kms, lifeMs, now, random: randomBytes });
    const enrolments = new Enrolments({ db, devices, issuer, admission, audit, now });
    await broker?.start();
    this.#running.add(() => broker?.stop());
    const mqtt = fleet.mqtt ?? (broker ? broker.urlBy(fleet.names[0] ?? '') : null);
    const server = new EstServer({
      context: { enrolments, authorities, admission, kms, mqtt, courier: broker?.courier, mailboxes },
      listen: fleet,
      rateLimits: fleet.rateLimits,
      monotonic,
      logger,
    });
    await this.#running.start(server);
    this.#fleetUrl = server.url;
    const asServer = new OwnIdentity({ issue: (key) => issuer.issueToServer(fleet.names, key), authorities, now });
    const identities: ShownIdentity[] = [{ identity: asServer, by: broker instanceof EmbeddedBroker ? [server, broker] : [server] }];
    if (broker instanceof ExternalBroker) {
      const asClient = new OwnIdentity({ issue: (key) => issuer.issueToControlPlane(broker.name, key), authorities, now });
      identities.push({ identity: asClient, by: [broker] });
    }
    const upkeep = new IdentityUpkeep({ authorities, identities, logger });
    await this.#running.start(upkeep);
  }

  /** Tenants whose key was not made because the KMS was away, or because of a crash. */
  #finishTenants(tenants: Tenants, leases: JobLeases): void {
    const { logger } = this.#options;
    const finish = async (): Promise<void> => {
      try {
        const left = (await leases.run('finish-tenants', (lost) => tenants.finish(lost))) ?? 0;
        if (left > 0) logger.warn({ tenants: left }, 'tenants wait for their key');
      } catch (error) {
        logger.error({ err: SecureGateError.from(error) }, 'tenants without a key could not be looked for');
      }
    };
    let last = finish();
    const timer = setInterval(() => {
      last = last.then(finish);
    }, FINISH_EVERY_MS);
    this.#running.add(async () => {
      clearInterval(timer);
      await last;
    });
  }
}

async function stateOfStore({ db, dialect }: Store): Promise<PartState> {
  try {
    await sql`SELECT 1`.execute(db);
    return { part: 'database', ready: true, reason: null, what: dialect };
  } catch {
    return { part: 'database', ready: false, reason: 'storage_failed', what: dialect };
  }
}

async function stateOfKms(kms: Pick<KmsClient, 'call'>): Promise<PartState> {
  try {
    const { ready, reason, hsm } = await kms.call('status', {});
    return { part: 'kms', ready, reason, what: hsm };
  } catch (error) {
    return { part: 'kms', ready: false, reason: SecureGateError.from(error).code, what: null };
  }
}

function stateOf({ courier: { problem } }: EmbeddedBroker | ExternalBroker): PartState {
  return { part: 'broker', ready: problem === null, reason: problem === null ? null : 'broker_unavailable', what: null };
}

function readVersion(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}
