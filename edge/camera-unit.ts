import type { Logger } from '../shared/log/create-logger.ts';
import type { CameraStateEvent, EdgeEvent, Stats } from '../shared/messages/events.ts';
import { BackOff } from '../shared/runtime/back-off.ts';
import type { BestShots } from './box/best-shots.ts';
import type { RunningModels } from './box/running-models.ts';
import type { UsageMeter } from './box/usage-meter.ts';
import type { CameraConfig } from './config/schema.ts';
import type { LiveView } from './media/live/live-view.ts';
import { Camera } from './pipeline/decode/camera.ts';
import { isNetworkCamera } from './pipeline/decode/is-network-camera.ts';
import type { SeenTrack } from './pipeline/frame.ts';
import { Pipeline, WAITING_FRAMES } from './pipeline/pipeline.ts';
import type { PipelineCounters } from './pipeline/pipeline-options.ts';
import type { StageTimes } from './pipeline/stage-times.ts';
import type { Clock } from './runtime/clock.ts';
import type { Part } from './runtime/lifecycle.ts';
import type { Quantiles } from './runtime/quantiles.ts';
import type { VaultClient } from './vault/client.ts';

/** Without a picture for this long a camera counts as silent: longer than a hitch of the network, or a camera that saves at night. */
const SILENCE_MS = 3000;
const FIRST_PAUSE_MS = 500;
/** A camera that comes back is seen again within three seconds, however long it was away: calling one that is not there costs next to nothing. */
const LONGEST_PAUSE_MS = 2000;

export interface CameraUnitOptions {
  readonly camera: CameraConfig;
  /** Of the certificates by which an rtsps:// camera is believed. */
  readonly caFile?: string | undefined;
  /** The tenant's policy as it is now: it may change while the camera runs. */
  readonly policy: () => { readonly matchThreshold: number | null; readonly unmatchedTtlMs: number };
  readonly models: Pick<RunningModels, 'now' | 'use'>;
  readonly vault: VaultClient;
  readonly latency: Quantiles;
  readonly times: StageTimes;
  readonly live: LiveView<SeenTrack>;
  readonly bestShots: BestShots;
  readonly usage: UsageMeter;
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
  #reason: string | null = null;
  #liveMs = 0;
  #liveSince: number | undefined;
  #endListening: (() => void) | undefined;
  /** Sightings that the vault has not taken yet. */
  readonly #keeping = new Set<Promise<void>>();
  /** Whether the last sighting could not be stored. */
  #losing = false;

  constructor(options: CameraUnitOptions) {
    const { camera, caFile, policy, models, vault, latency, times, live, bestShots, usage, clock, logger } = options;
    const { tenant } = camera;
    this.#options = options;
    this.name = `camera ${camera.id}`;
    this.#pipeline = new Pipeline({
      tenant,
      camera: camera.id,
      tiles: camera.tiles,
      get threshold() {
        return policy().matchThreshold ?? models.now.matchThreshold;
      },
      get unmatchedTtlMs() {
        return policy().unmatchedTtlMs;
      },
      byModels: (work) => models.use(work),
      search: (embeddings, limit) => {
        usage.count(tenant, 'faces_searched', embeddings.length);
        return vault.search({ embeddings, model: models.now.models.embedder, limit });
      },
      onSighting: (sighting) => {
        if (sighting.phase === 'ended') this.#keep(sighting);
        options.emit(sighting);
      },
      onLooked: (frame, tracks) => {
        usage.count(tenant, 'frames', 1);
        // Who began to watch since the frame came sees the next one.
        return frame.data.length > 0 ? live.show(frame, tracks) : undefined;
      },
      onBestShot: (sightingId, shot, takenAt) => bestShots.offer(tenant, sightingId, shot, takenAt),
      counters: this.#counters,
      latency,
      times,
      clock,
      logger,
    });
    this.#source = new Camera({
      tenant,
      camera: camera.id,
      url: camera.url,
      caFile,
      fps: camera.fps,
      reducedSize: (frame) => models.now.reducedSize(frame),
      wanted: (reduced, mediaMs) => (live.watched ? 'whole' : this.#pipeline.wants({ ...reduced, mediaMs })),
      silenceMs: SILENCE_MS,
      // One being filled, one being looked at, one being shown, and those that wait.
      buffers: WAITING_FRAMES + 3,
      endsForGood: !isNetworkCamera(camera.url),
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

  async start(): Promise<void> {
    this.#endListening = this.#options.vault.onGone((customerId) => this.#pipeline.forget(customerId));
    this.#pipeline.start();
    this.#source.start();
  }

  async stop(): Promise<void> {
    try {
      await this.#source.stop();
    } finally {
      // Whoever is in view is told to be gone, and what is left of the faces is overwritten.
      await this.#pipeline.stop();
      this.#endListening?.();
      await Promise.all(this.#keeping);
    }
  }

  get rejections(): ReadonlyMap<string, number> {
    return this.#counters.rejections;
  }

  /** Error code of `failed`, else null. */
  get reason(): string | null {
    return this.#reason;
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
      waiting: this.#pipeline.waiting,
      fpsWanted: camera.fps,
      fps: liveMs === 0 ? 0 : (frames * 1000) / liveMs,
    };
  }

  #changed(state: CameraStateEvent['state'], reason: string | null): void {
    const { camera, clock, emit } = this.#options;
    // A camera that is away for days is called every two seconds: it stays failed meanwhile, and each reason is told once.
    if (this.#state === 'failed' && (state === 'connecting' || (state === 'failed' && reason === this.#reason))) return;
    if (this.#liveSince !== undefined) this.#liveMs += clock.monotonic() - this.#liveSince;
    this.#liveSince = state === 'live' ? clock.monotonic() : undefined;
    this.#state = state;
    this.#reason = reason;
    emit({ type: 'camera', at: new Date(clock.now()).toISOString(), tenant: camera.tenant, camera: camera.id, state, reason });
    if (state === 'failed' || state === 'ended') this.#pipeline.cut();
  }

  #keep(sighting: Parameters<VaultClient['recordSighting']>[0]): void {
    const { vault, usage, logger, camera } = this.#options;
    usage.count(camera.tenant, 'sightings', 1);
    const kept = vault.recordSighting(sighting).then(
      () => {
        this.#losing = false;
      },
      (error: unknown) => {
        usage.count(camera.tenant, 'sightings_lost', 1);
        // A full disk takes none for days: the first is told, and all are counted.
        logger[this.#losing ? 'debug' : 'error']({ err: error, camera: camera.id }, 'sighting not stored');
        this.#losing = true;
      },
    );
    this.#keeping.add(kept);
    void kept.then(() => this.#keeping.delete(kept));
  }
}
