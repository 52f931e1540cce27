import type { Logger } from '../shared/log/create-logger.ts';
import type { CameraStateEvent, EdgeEvent, Stats } from '../shared/messages/events.ts';
import type { CameraConfig, TenantConfig } from './config/schema.ts';
import type { OpenStages } from './open-stages.ts';
import { Camera } from './pipeline/decode/camera.ts';
import { Pipeline, type PipelineCounters, WAITING_FRAMES } from './pipeline/pipeline.ts';
import { BackOff } from './runtime/back-off.ts';
import type { Clock } from './runtime/clock.ts';
import type { Part } from './runtime/lifecycle.ts';
import type { Quantiles } from './runtime/quantiles.ts';
import type { VaultClient } from './vault/client.ts';

/** Without a picture for this long a camera counts as silent: longer than a hitch of the network, or a camera that saves at night. */
const SILENCE_MS = 3000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

export interface CameraUnitOptions {
  readonly camera: CameraConfig;
  readonly tenant: TenantConfig;
  readonly engine: OpenStages;
  readonly vault: VaultClient;
  readonly latency: Quantiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly emit: (event: EdgeEvent) => void;
}

/** One camera with its own pipeline, tied to the vault of its tenant. Its failures stay its own. */
export class CameraUnit implements Part {
  readonly name: string;
  readonly #options: CameraUnitOptions;
  readonly #counters: PipelineCounters = { frames: 0, skipped: 0, tracks: 0, failures: 0, rejections: new Map() };
  readonly #pipeline: Pipeline;
  readonly #source: Camera;
  #state: CameraStateEvent['state'] = 'stopped';
  #liveMs = 0;
  #liveSince: number | undefined;

  constructor(options: CameraUnitOptions) {
    const { camera, tenant, engine, vault, latency, clock, logger } = options;
    this.#options = options;
    this.name = `camera ${camera.id}`;
    this.#pipeline = new Pipeline({
      tenant: tenant.id,
      camera: camera.id,
      tiles: camera.tiles,
      threshold: tenant.matchThreshold ?? engine.matchThreshold,
      unmatchedTtlMs: tenant.unmatchedTtlMs,
      models: engine.models,
      stages: engine.stages,
      search: (embeddings, limit) => vault.search({ embeddings, model: engine.models.embedder, limit }),
      onSighting: (sighting) => {
        if (sighting.phase === 'ended' && sighting.outcome === 'person') this.#keep(sighting);
        options.emit(sighting);
      },
      counters: this.#counters,
      latency,
      clock,
      logger,
    });
    this.#source = new Camera({
      tenant: tenant.id,
      camera: camera.id,
      url: camera.url,
      fps: camera.fps,
      silenceMs: SILENCE_MS,
      // One being filled, one being looked at, and those that wait.
      buffers: WAITING_FRAMES + 2,
      endsForGood: !/^rtsps?:/i.test(camera.url),
      clock,
      backOff: new BackOff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS),
      logger,
      onFrame: (frame) => this.#pipeline.push(frame),
      onSkipped: () => {
        this.#counters.skipped += 1;
      },
      onState: (state, reason) => this.#changed(state, reason),
    });
  }

  get tenant(): string {
    return this.#options.tenant.id;
  }

  async start(): Promise<void> {
    this.#pipeline.start();
    this.#source.start();
  }

  async stop(): Promise<void> {
    await this.#source.stop();
    await this.#pipeline.stop();
  }

  get rejections(): ReadonlyMap<string, number> {
    return this.#counters.rejections;
  }

  stats(): Stats['cameras'][number] {
    const { camera, clock } = this.#options;
    const liveMs = this.#liveMs + (this.#liveSince === undefined ? 0 : clock.monotonic() - this.#liveSince);
    const { frames, skipped, tracks, failures } = this.#counters;
    return {
      tenant: camera.tenant,
      camera: camera.id,
      state: this.#state,
      frames,
      skipped,
      tracks,
      failures,
      fpsWanted: camera.fps,
      fps: liveMs === 0 ? 0 : (frames * 1000) / liveMs,
    };
  }

  #changed(state: CameraStateEvent['state'], reason: string | null): void {
    const { camera, clock, emit } = this.#options;
    if (this.#liveSince !== undefined) this.#liveMs += clock.monotonic() - this.#liveSince;
    this.#liveSince = state === 'live' ? clock.monotonic() : undefined;
    this.#state = state;
    emit({ type: 'camera', at: new Date(clock.now()).toISOString(), tenant: camera.tenant, camera: camera.id, state, reason });
    if (state === 'failed' || state === 'ended') this.#pipeline.cut();
  }

  #keep(sighting: Parameters<VaultClient['recordSighting']>[0]): void {
    const { vault, logger, camera } = this.#options;
    vault.recordSighting(sighting).catch((error: unknown) => logger.error({ err: error, camera: camera.id }, 'sighting not stored'));
  }
}
