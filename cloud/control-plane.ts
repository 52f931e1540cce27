import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { readSecretText } from '../shared/config/read-secret-file.ts';
import { readVersion } from '../shared/config/read-version.ts';
import type { SecureGateError } from '../shared/errors/securegate-error.ts';
import type { Timeouts } from '../shared/http/create-http-server.ts';
import { Idempotency } from '../shared/http/idempotency.ts';
import type { Logger } from '../shared/log/create-logger.ts';
import { RunningParts } from '../shared/runtime/running-parts.ts';
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
import { GRACE_MS } from './fleet/enrolment/enrolments.ts';
import { Intake } from './fleet/intake/intake.ts';
import type { KnownBoxes } from './fleet/known-boxes.ts';
import { Ledger } from './fleet/ledger/ledger.ts';
import { Authorities } from './fleet/pki/authorities.ts';
import { Reception } from './fleet/reception.ts';
import { Recoveries } from './fleet/recoveries.ts';
import { Mailboxes } from './fleet/relay/mailboxes.ts';
import { LeaseRequests } from './fleet/requests/lease-requests.ts';
import { ToldKeys } from './fleet/requests/told-keys.ts';
import { Retention } from './fleet/retention/retention.ts';
import { listWitnesses } from './fleet/witness/list-witnesses.ts';
import { Witnesses } from './fleet/witness/witnesses.ts';
import { CloudMetrics } from './http/metrics.ts';
import { startCloudApi } from './http/server.ts';
import { ensureLocalOperator } from './iam/local-operator.ts';
import { People } from './iam/people.ts';
import { VerifiedTokens } from './iam/verified-tokens.ts';
import { KmsClient } from './kms/client.ts';
import { readiness } from './readiness.ts';
import { DeletionReceipts } from './shred/deletion-receipts.ts';
import { EpochHorizon } from './shred/epoch-horizon.ts';
import { Erasures } from './shred/erasures.ts';
import { ShredJob } from './shred/shred-job.ts';
import { Shredding } from './shred/shredding.ts';
import { Shreds } from './shred/shreds.ts';
import { startFleetServers } from './start-fleet-servers.ts';
import { startLogCopy } from './start-log-copy.ts';
import { startTrustedIssuers } from './start-trusted-issuers.ts';
import { HeldDatabase } from './store/held-database.ts';
import { HeldFile } from './store/held-file.ts';
import { JobLeases } from './store/job-leases.ts';
import { openStore, type Store, type StoreAddress } from './store/open-store.ts';
import { StoredIdempotency } from './store/stored-idempotency.ts';
import { Hostnames } from './tenants/hostnames.ts';
import { Orgs } from './tenants/orgs.ts';
import { TenantUpkeep } from './tenants/tenant-upkeep.ts';
import { Tenants } from './tenants/tenants.ts';
import { timeKms } from './time-kms.ts';

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
  /** Called when it cannot go on: whoever started it has to stop it. */
  readonly onFailed?: (error: SecureGateError) => void;
  readonly now: () => number;
  readonly logger: Logger;
}

interface Fleet {
  readonly boxes: KnownBoxes;
  readonly courier: Courier;
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

  /** @throws {SecureGateError} `store_in_use`, `storage_failed`, `store_newer`, `config_invalid` */
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
    await this.#beAlone();
    const store = await openStore(this.#options.store, (outcome, seconds) => metrics.tookQuery(outcome, seconds));
    this.#running.add(() => store.close());
    const client = new KmsClient(config.kms.socket);
    this.#running.add(() => client.close());
    const kms = timeKms(client, (operation, outcome, seconds) => metrics.tookKmsCall(operation, outcome, seconds));
    const tenants = new Tenants(store.db, kms, now);
    const leases = new JobLeases(store.db, { owner: randomUUID(), now });
    await this.#running.start(new TenantUpkeep({ tenants, leases, logger }));
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
    const recoveries = new Recoveries({ db: store.db, kms, now });
    const logHeads = new LogHeads({ db: store.db, tree: logTree, kms, kmsEntries, now, random: randomBytes, logger });
    await this.#running.start(logHeads);
    const copied = { db: store.db, tree: logTree, heads: logHeads, audit, leases, now, logger };
    const logCopy = await startLogCopy(this.#running, { ...copied, config });
    if (config.fleet !== undefined) {
      const parts = { fleet: config.fleet, db: store.db, kms, authorities, admission, devices, recoveries, audit, broker, mailboxes };
      this.#fleetUrl = await startFleetServers(this.#running, { ...parts, lifeMs, now, monotonic, logger });
    }
    await ensureLocalOperator(people);
    const boxes = fleet?.boxes ?? new EnrolledBoxes(store.db);
    const { commandDays } = config.retention;
    const ledger = new Ledger({ boxes, courier, audit, commandDays, db: store.db, kms, now, random: Math.random, logger });
    await this.#running.start(ledger);
    const desired = new DesiredStates({ boxes, courier, db: store.db, kms, now, random: Math.random, logger });
    await this.#running.start(desired);
    const intake = new Intake({ db: store.db, kms, courier, now, logger });
    await this.#running.start(new Retention({ ...config.retention, db: store.db, leases, now, logger }));
    if (courier) {
      const leaseRequests = new LeaseRequests({ courier, kms, recoveries, monotonic, logger });
      const witnesses = new Witnesses({ db: store.db, courier, audit, tree: logTree, heads: logHeads, now, logger });
      const toldKeys = new ToldKeys({ courier, kms, recoveries, monotonic });
      const takers = [ledger.takers, desired.takers, leaseRequests.takers, intake.takers, witnesses.takers, toldKeys.takers];
      await this.#running.start(new Reception({ courier, boxes, takers, logger }));
    }
    const decided = { db: store.db, onWaiting: () => shredJob.wake(), now };
    const shreds = new Shreds(decided);
    const erasures = new Erasures({ ...decided, kms, commands: ledger.commands });
    const shredding = new Shredding({ db: store.db, kms, tenants, commands: ledger.commands, desired, now, logger });
    const shredJob = new ShredJob({ lookers: [shredding, erasures], leases, logger });
    await this.#running.start(shredJob);
    await this.#running.start(new EpochHorizon({ erasures, kms, leases, logger }));
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
      deletionReceipts: new DeletionReceipts({
        db: store.db,
        kms,
        shreds,
        erasures,
        audit,
        kmsEntries,
        tree: logTree,
        heads: logHeads,
        now,
      }),
      tenants,
      orgs: new Orgs(store.db, now),
      people,
      devices,
      enrolmentTokens: new EnrolmentTokens({ db: store.db, authorities, now, random: randomBytes }),
      authorities,
      recoveries,
      audit,
      logTree,
      logHeads,
      logCopy: async () => (await logCopy?.state()) ?? null,
      witnesses: (org: string) => listWitnesses(store.db, org),
      idempotency: new Idempotency(new StoredIdempotency(store.db, now), ({ account }) => account?.id),
      readiness: () => readiness({ store, kms, broker, logCopy }),
    };
    const issuers = issuer === undefined ? await startTrustedIssuers(this.#running, { config, now, logger }) : [issuer];
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
          logCopy: logCopy ? { ...(await logCopy.state()), failures: logCopy.failures } : null,
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

  /**
   * With a broker of its own, a process hears what boxes say to it alone, and reaches no others; a database of SQLite is for one process
   * anyway.
   */
  async #beAlone(): Promise<void> {
    const { store, config, logger, onFailed = () => undefined } = this.#options;
    if ('file' in store) await this.#running.start(new HeldFile(store.file));
    else if (config.fleet?.broker !== undefined && !('url' in config.fleet.broker)) {
      await this.#running.start(new HeldDatabase({ postgres: store.postgres, onLost: onFailed, logger }));
    }
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
}
