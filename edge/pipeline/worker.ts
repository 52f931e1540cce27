import { parentPort, type Transferable, workerData } from 'node:worker_threads';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { chooseProvider } from '../inference/execution-provider.ts';
import { loadModel } from '../inference/load-model.ts';
import type { WorkerMessage } from '../runtime/worker-pool.ts';
import { createFaceDetector } from './detect/create-face-detector.ts';
import { createEmbedder } from './embed/create-embedder.ts';
import { createFaceAnalyser } from './face/create-face-analyser.ts';
import { ENROLMENT_LIMITS, RECOGNITION_LIMITS, SEARCH_LIMITS } from './face/quality-limits.ts';
import type { FaceShot } from './frame.ts';
import type { StageInfo, StageRequest, StageSetup } from './stage-tasks.ts';

/**
 * An inference thread: loads the models of one set and runs the stages that need them, one task at a time.
 * ONNX Runtime blocks the thread that calls it, which is why this is not the daemon's main thread.
 */
const port = parentPort;
if (port === null) throw new Error('to be started as a worker thread');

function post(message: WorkerMessage, transfer: Transferable[] = []): void {
  port?.postMessage(message, transfer);
}

async function load({ models, provider: wanted }: StageSetup) {
  const { provider, fallbackReason } = await chooseProvider(wanted);
  const detector = createFaceDetector(await loadModel({ ...models.detector, provider }));
  const landmarks = models.landmarks === null ? null : await loadModel({ ...models.landmarks, provider });
  const embedder = createEmbedder(await loadModel({ ...models.embedder, provider }));
  const analysers = {
    recognise: createFaceAnalyser(landmarks, RECOGNITION_LIMITS),
    search: createFaceAnalyser(landmarks, SEARCH_LIMITS, { lookTwice: true }),
    enrol: createFaceAnalyser(landmarks, ENROLMENT_LIMITS, { lookTwice: true }),
  };
  const info: StageInfo = { provider, fallbackReason };
  return { info, detector, analysers, embedder };
}

async function run(stages: Awaited<ReturnType<typeof load>>, request: StageRequest): Promise<void> {
  switch (request.task) {
    case 'detect':
      post({ type: 'done', result: await stages.detector.detect(request.image, request.tiles) });
      break;
    case 'detectStill':
      post({ type: 'done', result: await stages.detector.detectStill(request.image) });
      break;
    case 'analyse': {
      const shots: FaceShot[] = [];
      for (const detection of request.detections) shots.push(await stages.analysers[request.purpose].analyse(request.image, detection));
      hand(
        shots,
        shots.map(({ aligned }) => aligned.data),
      );
      break;
    }
    case 'embed': {
      const embeddings = await stages.embedder.embed(request.aligned);
      hand(embeddings, embeddings);
      break;
    }
  }
}

/** Faces and still pictures came as copies, which are this thread's to overwrite; the frame of a camera is shared with others. */
function overwriteCopies(request: StageRequest): void {
  for (const { data } of request.task === 'embed' ? request.aligned : [request.image]) {
    if (data.buffer instanceof ArrayBuffer) data.fill(0);
  }
}

/** Posts a result whose arrays move to the main thread: no copy of a face stays behind here. */
function hand(result: unknown, arrays: readonly (Uint8Array | Float32Array)[]): void {
  post(
    { type: 'done', result },
    arrays.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : [])),
  );
}

try {
  const stages = await load(workerData as StageSetup);
  port.on('message', (request: StageRequest) => {
    run(stages, request)
      .catch((error: unknown) => post({ type: 'failed', error: SecureGateError.from(error, 'inference_failed').toJSON() }))
      .finally(() => overwriteCopies(request));
  });
  post({ type: 'ready', info: stages.info });
} catch (error) {
  post({ type: 'refused', error: SecureGateError.from(error).toJSON() });
}
