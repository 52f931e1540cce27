import '../inference/no-telemetry.ts';
import type { ErrorCode } from '../../shared/errors/codes.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { RgbImage } from '../inference/image.ts';
import { MicroBatcher } from '../inference/micro-batcher.ts';
import type { Region } from '../inference/resize.ts';
import { WorkerPool } from '../runtime/worker-pool.ts';
import type { TileGrid } from './detect/tile-regions.ts';
import { embedWithMirror } from './embed/embed-with-mirror.ts';
import type { Detection, FaceShot } from './frame.ts';
import type { Purpose, StageInfo, StageRequest, StageSetup, StageTasks } from './stage-tasks.ts';

/** On an accelerator: faces of all cameras that go through the embedder together, and how long the first of them waits for others. */
const EMBED_BATCH = 8;
const EMBED_DEADLINE_MS = 15;
const EMBED_QUEUE = 256;

/** The stages that run on inference threads, as the daemon's main thread calls them. */
export class Stages {
  readonly #pool: WorkerPool;
  readonly #threads: number;
  #embedder: MicroBatcher<RgbImage, Float32Array> | undefined;

  constructor(setup: StageSetup, threads: number, logger: Logger) {
    this.#pool = new WorkerPool({ entry: new URL('./worker.ts', import.meta.url), size: threads, workerData: setup, logger });
    this.#threads = threads;
  }

  /** Loads the models on every thread. @throws {SecureGateError} `model_missing`, `model_contract` */
  async start(): Promise<StageInfo> {
    const info = (await this.#pool.start()) as StageInfo;
    // A thread of a CPU takes as long for faces together as for one by one: there each goes to the next free one at once.
    const batches =
      info.provider === 'cpu'
        ? { maxBatch: 1, deadlineMs: 0, maxRunning: this.#threads }
        : { maxBatch: EMBED_BATCH, deadlineMs: EMBED_DEADLINE_MS, maxRunning: 1 };
    this.#embedder = new MicroBatcher({
      ...batches,
      maxWaiting: EMBED_QUEUE,
      run: (aligned) => this.#run('embed', { task: 'embed', aligned }),
    });
    return info;
  }

  async stop(): Promise<void> {
    await this.#embedder?.stop();
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
    return this.#embedder?.waiting ?? 0;
  }

  detect(image: RgbImage, tiles?: TileGrid): Promise<Detection[]> {
    return this.#run('detect', { task: 'detect', image: plain(image), tiles });
  }

  /** As `detect`, in some parts of the picture alone. */
  detectIn(image: RgbImage, parts: readonly Region[]): Promise<Detection[]> {
    return this.#run('detectIn', { task: 'detectIn', image: plain(image), parts });
  }

  /** As `detect`, but slower and on pictures of any shape: faces that fill the picture are found as well as small ones. */
  detectStill(image: RgbImage): Promise<Detection[]> {
    return this.#run('detectStill', { task: 'detectStill', image: plain(image) });
  }

  /** One shot for each detection, in their order. */
  analyse(image: RgbImage, detections: readonly Detection[], purpose: Purpose): Promise<FaceShot[]> {
    return this.#run('analyse', { task: 'analyse', image: plain(image), detections, purpose });
  }

  /** 512-d, L2-normalised; on an accelerator faces of all callers are batched. */
  async embed(aligned: RgbImage): Promise<Float32Array> {
    if (this.#embedder === undefined) throw new SecureGateError('stopped', 'The models are not loaded');
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
function plain({ width, height, data, reduced }: RgbImage): RgbImage {
  return { width, height, data, reduced };
}
