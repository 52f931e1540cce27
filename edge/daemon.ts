import { existsSync, mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readVersion } from '../shared/config/read-version.ts';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import type { Telemetry } from '../shared/fleet/telemetry.ts';
import type { Logger } from '../shared/log/create-logger.ts';
import type { EdgeEvent, Stats } from '../shared/messages/events.ts';
import { BackOff } from '../shared/runtime/back-off.ts';
import { IssuerKeys } from '../shared/tokens/issuer-keys.ts';
import { BOX_AUDIENCE, TokenVerifier } from '../shared/tokens/token-verifier.ts';
import type { BoxPort } from './api/ports.ts';
import { type RunningApi, startApi } from './api/server.ts';
import { adminTokenFile } from './appliance/admin-token-file.ts';
import { type Appliance, openAppliance } from './appliance/open-appliance.ts';
import { BestShots } from './box/best-shots.ts';
import { boxStats } from './box/box-stats.ts';
import { Cameras } from './box/cameras.ts';
import { changeableBox } from './box/changeable-box.ts';
import { CloudLink } from './box/cloud-link.ts';
import { createBoxPort } from './box/create-box-port.ts';
import { EpochMoves } from './box/epoch-moves.ts';
import { EventHub } from './box/event-hub.ts';
import { Faces } from './box/faces.ts';
import { InView } from './box/in-view.ts';
import { Leases } from './box/leases.ts';
import { ModelChoice } from './box/model-choice.ts';
import { Shredder } from './box/shredder.ts';
import { telemetryOf } from './box/telemetry-of.ts';
import { Tenants } from './box/tenants.ts';
import { Upkeep } from './box/upkeep.ts';
import { UsageMeter } from './box/usage-meter.ts';
import { CameraUnit, type CameraUnitOptions } from './camera-unit.ts';
import type { Config } from './config/schema.ts';
import { LinkFolder } from './link/enrolment/link-folder.ts';
import { Renewal } from './link/enrolment/renewal.ts';
import { SocketLeaseCarrier } from './link/socket-lease-carrier.ts';
import { StageTimes } from './pipeline/stage-times.ts';
import type { Clock } from './runtime/clock.ts';
import { EventLoopDelay } from './runtime/event-loop-delay.ts';
import { Lifecycle, type Part } from './runtime/lifecycle.ts';
import { Quantiles } from './runtime/quantiles.ts';
import { Webhooks } from './webhooks/webhooks.ts';

const STATS_EVERY_MS = 1000;
/** Between two tries to open a vault that somebody has to mend first; he can also say that it is mended. */
const VAULT_WAITS_MS = { first: 60_000, longest: 900_000 };
/** Between two looks whether somebody has brought the models that the box is to work by. */
const MODEL_WAITS_MS = { first: 5000, longest: 120_000 };
/** Where the launcher builds the operator's page; a box without it has the API alone. */
const CONSOLE = fileURLToPath(new URL('../.cache/console', import.meta.url));

export interface DaemonOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes what the daemon reports; must not block. */
  readonly emit: (event: EdgeEvent) => void;
}

/** The composition root of the box: one lock, one set of inference threads, a vault for each tenant, a unit for each camera. */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #lifecycle: Lifecycle;
  readonly #latency = new Quantiles();
  readonly #times = new StageTimes();
  readonly #eventLoop = new EventLoopDelay();
  readonly #hub: EventHub;
  readonly #models: ModelChoice;
  readonly #tenants: Tenants;
  readonly #leases: Leases;
  readonly #shredder: Shredder;
  readonly #cameras: Cameras;
  readonly #webhooks: Webhooks;
  readonly #bestShots: BestShots;
  readonly #upkeep: Upkeep;
  readonly #usage: UsageMeter;
  readonly #inView = new InView();
  readonly #issuerKeys: IssuerKeys | undefined;
  readonly #linkFolder: LinkFolder;
  readonly #link: CloudLink;
  #appliance: Appliance | undefined;
  #api: RunningApi | undefined;
  #startedAt = 0;

  constructor(options: DaemonOptions) {
    const { config, clock, logger } = options;
    this.#options = options;
    this.#lifecycle = new Lifecycle(logger);
    this.#hub = new EventHub(logger);
    this.#models = new ModelChoice({
      config,
      stored: () => this.#opened.models,
      onChange: () => this.#link.boxChanged(),
      waits: new BackOff(MODEL_WAITS_MS.first, MODEL_WAITS_MS.longest),
      logger,
    });
    this.#tenants = new Tenants({
      config,
      appliance: () => this.#opened,
      clock,
      logger,
      onOpen: (tenant) => this.#openParts(tenant),
      onClose: (tenant) => this.#closeParts(tenant),
      waits: () => new BackOff(VAULT_WAITS_MS.first, VAULT_WAITS_MS.longest),
    });
    const { kmsSocket } = config.lease ?? {};
    const carrier = kmsSocket === undefined ? undefined : new SocketLeaseCarrier(kmsSocket);
    this.#leases = new Leases({ tenants: this.#tenants, carrier, random: Math.random, logger });
    const vault: Tenants['vault'] = (tenant) => this.#tenants.vault(tenant);
    const hasTenant: Tenants['has'] = (tenant) => this.#tenants.has(tenant);
    this.#cameras = new Cameras({ config, hasTenant, vault, buildUnit: (camera, live) => this.#buildUnit(camera, live), clock, logger });
    this.#webhooks = new Webhooks({ allowPrivateTargets: config.webhooks.allowPrivateTargets, vault, clock, logger });
    this.#bestShots = new BestShots(clock, (tenant) => this.#tenants.policyOf(tenant).unmatchedTtlMs);
    this.#shredder = new Shredder({
      config,
      appliance: () => this.#opened,
      tenants: this.#tenants,
      leases: this.#leases,
      // The control plane learns of it as well, whoever asked for it.
      holders: [this.#cameras, this.#webhooks, this.#bestShots, this.#inView, { drop: () => this.#link.boxChanged() }],
      clock,
      logger,
    });
    this.#linkFolder = new LinkFolder(config.keyDir, config.link?.credential);
    this.#link = new CloudLink({
      folder: this.#linkFolder,
      journal: () => this.#opened.commands,
      desired: () => this.#opened.desired,
      box: changeableBox({
        tenants: this.#tenants,
        cameras: this.#cameras,
        leases: this.#leases,
        tombstones: () => this.#opened.tombstones,
        models: this.#models,
        keyDir: config.keyDir,
      }),
      about: { boxVersion: readVersion() },
      leases: this.#leases,
      tcti: config.lease?.tpm?.tcti,
      tenants: this.#tenants,
      telemetry: () => this.#telemetry(),
      shredder: this.#shredder,
      clock,
      random: Math.random,
      logger,
    });
    const { issuer, dataDir } = config;
    this.#issuerKeys = issuer && new IssuerKeys({ config: issuer, file: join(dataDir, 'issuer-keys.json'), now: clock.now, logger });
    this.#upkeep = new Upkeep({ keyDir: config.keyDir, tenants: this.#tenants, logger });
    this.#usage = new UsageMeter((tenant, counter, by) => vault(tenant).count(counter, by), logger);
  }

  /**
   * Starts the box. A tenant whose vault does not open stays closed, with its cameras, and the others go on; so they do when one hangs.
   * @throws {SecureGateError} `data_folder_in_use`, the codes of `ModelChoice` and of `startApi`
   */
  async start(signal: AbortSignal): Promise<void> {
    const { config, clock, logger, emit } = this.#options;
    this.#startedAt = clock.monotonic();
    await this.#lifecycle.start(
      [
        this.#appliancePart(),
        this.#models,
        this.#tenants,
        this.#leases,
        this.#shredder,
        new EpochMoves({
          tenants: this.#tenants,
          isLeased: (tenant) => this.#tenants.get(tenant).keys === 'lease',
          hours: config.epochMoveHours,
          clock,
          logger,
        }),
        this.#upkeep,
        this.#usage,
        this.#bestShots,
        this.#webhooks,
        this.#link,
        new Renewal({ folder: this.#linkFolder, onRenewed: () => void this.#link.look(), clock, random: Math.random, logger }),
        this.#camerasPart(),
        ...(this.#issuerKeys === undefined ? [] : [this.#issuerKeys]),
        this.#apiPart(),
        this.#reportingPart(),
      ],
      signal,
    );
    emit({
      type: 'ready',
      at: new Date(clock.now()).toISOString(),
      box: this.#opened.box,
      cameras: this.#cameras.units().length,
      tenants: this.#tenants.list().length,
      api: this.#served.url,
    });
  }

  /** Drains and stops everything. @returns the names of the parts that failed to stop */
  async stop(): Promise<readonly string[]> {
    return this.#lifecycle.stop();
  }

  /** What the API may ask of this box. */
  port(): BoxPort {
    const models = this.#models.running;
    const matchThreshold = (tenant: string): number | null => this.#tenants.get(tenant).matchThreshold;
    return createBoxPort({
      box: this.#opened.box,
      version: readVersion(),
      stats: () => this.stats(),
      stageTimes: () => this.#times.values(),
      models,
      tenants: this.#tenants,
      shredder: this.#shredder,
      leases: this.#leases,
      cameras: this.#cameras,
      faces: new Faces({ models, bestShots: this.#bestShots, matchThreshold }),
      webhooks: this.#webhooks,
      hub: this.#hub,
      bestShots: this.#bestShots,
      inView: this.#inView,
    });
  }

  stats(): Stats {
    return boxStats({
      startedAt: this.#startedAt,
      cameras: this.#cameras,
      latency: this.#latency,
      eventLoop: this.#eventLoop,
      models: this.#models.running,
      tenants: this.#tenants,
      leases: this.#leases,
      upkeep: this.#upkeep,
      link: this.#link,
      clock: this.#options.clock,
    });
  }

  async #telemetry(): Promise<Telemetry> {
    const { bavail, bsize } = await statfs(this.#options.config.dataDir);
    return telemetryOf(this.stats(), {
      version: readVersion(),
      diskFreeBytes: bavail * bsize,
      isLeased: (tenant) => this.#tenants.get(tenant).keys === 'lease',
    });
  }

  #appliancePart(): Part {
    return {
      name: 'appliance',
      start: async () => {
        this.#appliance = openAppliance(this.#options.config.dataDir, this.#options.clock);
      },
      stop: async () => this.#appliance?.close(),
    };
  }

  #camerasPart(): Part {
    return {
      name: 'cameras',
      start: async (signal) => {
        await this.#cameras.start();
        // Those that are open by now, while the others are waited for; these call for themselves when they open.
        await this.#openReady();
        await this.#tenants.opened(signal);
        await this.#openReady();
      },
      stop: () => this.#cameras.stop(),
    };
  }

  async #openReady(): Promise<void> {
    await Promise.all(this.#tenants.list().map(({ id, state }) => (state === 'ready' ? this.#openParts(id) : undefined)));
  }

  /** Starts what a tenant can have once its vault is open; what fails is tried again when the vault opens anew. */
  async #openParts(tenant: string): Promise<void> {
    try {
      await Promise.all([this.#webhooks.open(tenant), this.#cameras.open(tenant)]);
    } catch (error) {
      this.#options.logger.error({ err: error, tenant }, 'cameras or webhooks of this tenant were not started');
    }
    this.#link.boxChanged();
  }

  /** Nobody's face is looked at for a tenant that is closed. */
  async #closeParts(tenant: string): Promise<void> {
    try {
      await this.#cameras.close(tenant);
      await this.#usage.flush();
    } catch (error) {
      this.#options.logger.error({ err: error, tenant }, 'cameras of this tenant did not stop cleanly');
    }
    this.#link.boxChanged();
  }

  #buildUnit(camera: CameraUnitOptions['camera'], live: CameraUnitOptions['live']): CameraUnit {
    const { config, clock, logger } = this.#options;
    return new CameraUnit({
      camera,
      caFile: config.cameraCaFile,
      live,
      policy: () => this.#tenants.policyOf(camera.tenant),
      models: this.#models.running,
      vault: this.#tenants.vault(camera.tenant),
      latency: this.#latency,
      times: this.#times,
      bestShots: this.#bestShots,
      usage: this.#usage,
      clock,
      logger,
      emit: (event) => this.#emit(event),
    });
  }

  #emit(event: EdgeEvent): void {
    this.#options.emit(event);
    if (event.type === 'sighting') this.#inView.take(event);
    this.#hub.publish(event);
    if (event.type === 'sighting') this.#webhooks.publish(event);
  }

  #apiPart(): Part {
    const { config, clock, logger } = this.#options;
    return {
      name: 'api',
      start: async () => {
        const appliance = this.#opened;
        mkdirSync(config.keyDir, { recursive: true, mode: 0o700 });
        const tokenFile = adminTokenFile(config.keyDir);
        if (await appliance.admin.ensure(tokenFile)) logger.info({ tokenFile }, 'the admin token was made');
        const box = this.port();
        const consoleDir = existsSync(join(CONSOLE, 'index.html')) ? CONSOLE : undefined;
        const { rateLimits, ...listen } = config.api;
        const tokens = this.#issuerKeys && new TokenVerifier([this.#issuerKeys.trusted], BOX_AUDIENCE, clock.now);
        this.#api = await startApi({ box, appliance, tokens, listen, consoleDir, logger, clock, rateLimits });
      },
      stop: async () => this.#api?.stop(),
    };
  }

  #reportingPart(): Part {
    let timer: NodeJS.Timeout | undefined;
    const report = (): void => this.#emit(this.stats());
    return {
      name: 'reporting',
      start: async () => {
        this.#eventLoop.start();
        timer = setInterval(report, STATS_EVERY_MS);
      },
      stop: async () => {
        clearInterval(timer);
        this.#eventLoop.stop();
        report();
      },
    };
  }

  get #opened(): Appliance {
    if (this.#appliance === undefined) throw new SecureGateError('stopped', 'The data folder is not open');
    return this.#appliance;
  }

  get #served(): RunningApi {
    if (this.#api === undefined) throw new SecureGateError('stopped', 'The API is not served');
    return this.#api;
  }
}
