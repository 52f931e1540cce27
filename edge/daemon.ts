import { SecureGateError } from '../shared/errors/securegate-error.ts';
import type { Logger } from '../shared/log/create-logger.ts';
import type { EdgeEvent, Stats } from '../shared/messages/events.ts';
import { type Appliance, openAppliance } from './appliance/open-appliance.ts';
import { CameraUnit } from './camera-unit.ts';
import type { Config, TenantConfig } from './config/schema.ts';
import { type OpenStages, openStages } from './open-stages.ts';
import type { Clock } from './runtime/clock.ts';
import { EventLoopDelay } from './runtime/event-loop-delay.ts';
import { Lifecycle, type Part } from './runtime/lifecycle.ts';
import { pause } from './runtime/pause.ts';
import { Quantiles } from './runtime/quantiles.ts';
import { VaultClient } from './vault/client.ts';

const STATS_EVERY_MS = 1000;
/** How long the start waits for vaults; one that takes longer brings its cameras when it is open. */
const VAULTS_PATIENCE_MS = 10_000;

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
  readonly #eventLoop = new EventLoopDelay();
  readonly #vaults = new Map<string, VaultClient>();
  /** Of each tenant, whether its vault opened; never rejects. */
  readonly #opening = new Map<string, Promise<boolean>>();
  readonly #cameras: CameraUnit[] = [];
  #appliance: Appliance | undefined;
  #engine: OpenStages | undefined;
  #startedAt = 0;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#lifecycle = new Lifecycle(options.logger);
  }

  /**
   * Starts the box. A tenant whose vault does not open stays closed, with its cameras, and the others go on; so they do when one hangs.
   * @throws {SecureGateError} `data_folder_in_use`, the codes of `openStages`
   */
  async start(signal: AbortSignal): Promise<void> {
    const { clock, emit } = this.#options;
    this.#startedAt = clock.monotonic();
    await this.#lifecycle.start(
      [this.#appliancePart(), this.#inferencePart(), this.#vaultsPart(), this.#camerasPart(), this.#reportingPart()],
      signal,
    );
    const at = new Date(clock.now()).toISOString();
    emit({ type: 'ready', at, box: this.#opened.box, cameras: this.#cameras.length, tenants: this.#vaults.size });
  }

  /** Drains and stops everything. @returns the names of the parts that failed to stop */
  async stop(): Promise<readonly string[]> {
    return this.#lifecycle.stop();
  }

  stats(): Stats {
    const { clock } = this.#options;
    const rejections = new Map<string, number>();
    for (const camera of this.#cameras) {
      for (const [reason, count] of camera.rejections) rejections.set(reason, (rejections.get(reason) ?? 0) + count);
    }
    return {
      type: 'stats',
      at: new Date(clock.now()).toISOString(),
      uptimeMs: clock.monotonic() - this.#startedAt,
      cameras: this.#cameras.map((camera) => camera.stats()),
      latencyMs: this.#latency.values(),
      eventLoopMs: this.#eventLoop.values(),
      rejections: Object.fromEntries(rejections),
      provider: { name: this.#engine?.provider ?? 'none', fallbackReason: this.#engine?.fallbackReason ?? null },
      vaults: Array.from(this.#vaults, ([tenant, { state, faces, restarts }]) => ({ tenant, state, faces, restarts })),
    };
  }

  #appliancePart(): Part {
    return {
      name: 'appliance',
      start: async () => {
        this.#appliance = openAppliance(this.#options.config.dataDir);
      },
      stop: async () => this.#appliance?.close(),
    };
  }

  #inferencePart(): Part {
    return {
      name: 'inference',
      start: async () => {
        this.#engine = await openStages(this.#options.config, this.#options.logger);
      },
      stop: async () => this.#engine?.stages.stop(),
    };
  }

  #vaultsPart(): Part {
    const { config } = this.#options;
    return {
      name: 'vaults',
      start: async (signal) => {
        for (const tenant of config.tenants) this.#opening.set(tenant.id, this.#openVault(tenant, signal));
      },
      stop: async () => void (await Promise.all(Array.from(this.#vaults.values(), (vault) => vault.stop()))),
    };
  }

  async #openVault(tenant: TenantConfig, signal: AbortSignal): Promise<boolean> {
    const { config, clock, logger } = this.#options;
    const { dataDir, keyDir } = config;
    const vault = new VaultClient({ org: tenant.org, tenant: tenant.id, box: this.#opened.box, dataDir, keyDir, clock, logger });
    this.#vaults.set(tenant.id, vault);
    try {
      await vault.start(signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      logger.error({ err: error, tenant: tenant.id }, 'the vault of this tenant stays closed');
      return false;
    }
  }

  #camerasPart(): Part {
    let stopped = false;
    return {
      name: 'cameras',
      start: async (signal) => {
        this.#makeCameras();
        const started = Array.from(this.#opening, async ([tenant, opened]) => {
          // No look at anybody's face for a tenant whose guests cannot be told from strangers.
          if (!(await opened) || stopped) return;
          for (const unit of this.#cameras) if (unit.tenant === tenant) await unit.start();
        });
        await Promise.race([Promise.all(started), pause(VAULTS_PATIENCE_MS, signal)]);
      },
      stop: async () => {
        stopped = true;
        await this.#stopCameras();
      },
    };
  }

  #makeCameras(): void {
    const { config, clock, logger, emit } = this.#options;
    const tenants = new Map<string, TenantConfig>(config.tenants.map((tenant) => [tenant.id, tenant]));
    for (const camera of config.cameras) {
      const tenant = tenants.get(camera.tenant) as TenantConfig;
      const vault = this.#vaults.get(camera.tenant) as VaultClient;
      const engine = this.#engine as OpenStages;
      this.#cameras.push(new CameraUnit({ camera, tenant, engine, vault, latency: this.#latency, clock, logger, emit }));
    }
  }

  async #stopCameras(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#cameras.map((camera) => camera.stop()));
    const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    if (failed.length > 0) throw new AggregateError(failed, 'cameras did not stop cleanly');
  }

  #reportingPart(): Part {
    let timer: NodeJS.Timeout | undefined;
    const report = (): void => this.#options.emit(this.stats());
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
}
