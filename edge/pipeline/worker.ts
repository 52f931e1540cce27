import { type Transferable, workerData } from 'node:worker_threads';
import { chooseProvider } from '../inference/execution-provider.ts';
import { loadModel } from '../inference/load-model.ts';
import { serveTasks, type TaskServer } from '../runtime/serve-tasks.ts';
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
await serveTasks(() => load(workerData as StageSetup), 'inference_failed');

async function load({ models, provider: wanted }: StageSetup): Promise<TaskServer<StageRequest>> {
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
  const run = async (request: StageRequest): ReturnType<TaskServer<StageRequest>['run']> => {
    switch (request.task) {
      case 'detect':
        return { result: await detector.detect(request.image, request.tiles) };
      case 'detectIn':
        return { result: await detector.detectIn(request.image, request.parts) };
      case 'detectStill':
        return { result: await detector.detectStill(request.image) };
      case 'analyse': {
        const shots: FaceShot[] = [];
        for (const detection of request.detections) shots.push(await analysers[request.purpose].analyse(request.image, detection));
        return moved(
          shots,
          shots.map(({ aligned }) => aligned.data),
        );
      }
      case 'embed': {
        const embeddings = await embedder.embed(request.aligned);
        return moved(embeddings, embeddings);
      }
    }
  };
  return { info, run: (request) => run(request).finally(() => overwriteCopies(request)) };
}

/** Faces and still pictures came as copies, which are this thread's to overwrite; the frame of a camera is shared with others. */
function overwriteCopies(request: StageRequest): void {
  for (const { data } of request.task === 'embed' ? request.aligned : [request.image]) {
    if (data.buffer instanceof ArrayBuffer) data.fill(0);
  }
}

/** A result whose arrays move to the main thread: no copy of a face stays behind here. */
function moved(result: unknown, arrays: readonly (Uint8Array | Float32Array)[]): { result: unknown; transfer: Transferable[] } {
  return { result, transfer: arrays.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : [])) };
}
