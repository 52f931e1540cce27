import '../inference/no-telemetry.ts';
import type { ErrorCode } from '../../shared/errors/codes.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { RgbImage } from '../inference/image.ts';
import { MicroBatcher } from '../inference/micro-batcher.ts';
import { WorkerPool } from '../runtime/worker-pool.ts';
import type { TileGrid } from './detect/tile-regions.ts';
import { embedWithMirror } from './embed/embed-with-mirror.ts';
import type { Detection, FaceShot } from './frame.ts';
import type { Purpose, StageInfo, StageRequest, StageSetup, StageTasks } from './stage-tasks.ts';

/** Faces of all cameras that go through the embedder together, and how long the first of them waits for others. */
const EMBED_BATCH = 8;
const EMBED_DEADLINE_MS = 15;
const EMBED_QUEUE = 256;

/** The stages that run on inference threads, as the daemon's main thread calls them. */
export class Stages {
  readonly #pool: WorkerPool;
  readonly #embedder: MicroBatcher<RgbImage, Float32Array>;

  constructor(setup: StageSetup, threads: number, logger: Logger) {
    this.#pool = new WorkerPool({ entry: new URL('./worker.ts', import.meta.url), size: threads, workerData: setup, logger });
    this.#embedder = new MicroBatcher({
      maxBatch: EMBED_BATCH,
      deadlineMs: EMBED_DEADLINE_MS,
      maxWaiting: EMBED_QUEUE,
      run: (aligned) => this.#run('embed', { task: 'embed', aligned }),
    });
  }

  /** Loads the models on every thread. @throws {SecureGateError} `model_missing`, `model_contract` */
  async start(): Promise<StageInfo> {
    return (await this.#pool.start()) as StageInfo;
  }

  async stop(): Promise<void> {
    await this.#embedder.stop();
    await this.#pool.stop();
  }

  /** Tasks that wait for a thread. */
  get queued(): number {
    return this.#pool.queued;
  }

  /** Why the threads do not all do their work; null while they do. */
  get trouble(): ErrorCode | null {
    return this.#pool.trouble;
  }

  /** Faces that wait to be embedded. */
  get waitingFaces(): number {
    return this.#embedder.waiting;
  }

  detect(image: RgbImage, tiles?: TileGrid): Promise<Detection[]> {
    return this.#run('detect', { task: 'detect', image: plain(image), tiles });
  }

  /** As `detect`, but slower and on pictures of any shape: faces that fill the picture are found as well as small ones. */
  detectStill(image: RgbImage): Promise<Detection[]> {
    return this.#run('detectStill', { task: 'detectStill', image: plain(image) });
  }

  /** One shot for each detection, in their order. */
  analyse(image: RgbImage, detections: readonly Detection[], purpose: Purpose): Promise<FaceShot[]> {
    return this.#run('analyse', { task: 'analyse', image: plain(image), detections, purpose });
  }

  /** 512-d, L2-normalised; faces of all callers are batched. */
  embed(aligned: RgbImage): Promise<Float32Array> {
    return this.#embedder.submit(aligned);
  }

  /** As `embed`, from the face and its mirror image: twice the time. */
  embedStill(aligned: RgbImage): Promise<Float32Array> {
    return embedWithMirror(aligned, (face) => this.embed(face));
  }

  async #run<Name extends keyof StageTasks>(_name: Name, request: StageRequest & { task: Name }): Promise<StageTasks[Name]['result']> {
    return (await this.#pool.run(request)) as StageTasks[Name]['result'];
  }
}

/** Only what a thread needs, since a frame's `release` cannot travel. */
function plain({ width, height, data }: RgbImage): RgbImage {
  return { width, height, data };
}
