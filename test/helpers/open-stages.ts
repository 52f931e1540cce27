import { loadModel } from '../../edge/inference/load-model.ts';
import type { ModelSession } from '../../edge/inference/model-session.ts';
import { createFaceDetector, type FaceDetector } from '../../edge/pipeline/detect/create-face-detector.ts';
import { createEmbedder, type Embedder } from '../../edge/pipeline/embed/create-embedder.ts';
import { createFaceAnalyser, type FaceAnalyser } from '../../edge/pipeline/face/create-face-analyser.ts';
import { type QualityLimits, RECOGNITION_LIMITS } from '../../edge/pipeline/face/quality-limits.ts';
import { embeddedModels } from './embedded-models.ts';

export interface OpenStages {
  readonly sessions: { readonly detector: ModelSession; readonly landmarks: ModelSession; readonly embedder: ModelSession };
  readonly detector: FaceDetector;
  readonly analyser: FaceAnalyser;
  readonly embedder: Embedder;
  close(): Promise<void>;
}

/** The stages around the models of the default set, on this thread. */
export async function openStages(limits: QualityLimits = RECOGNITION_LIMITS): Promise<OpenStages> {
  const set = await embeddedModels();
  if (set.landmarks === null) throw new Error('the default set has a landmark model');
  const sessions = {
    detector: await loadModel({ ...set.detector, provider: 'cpu' }),
    landmarks: await loadModel({ ...set.landmarks, provider: 'cpu' }),
    embedder: await loadModel({ ...set.embedder, provider: 'cpu' }),
  };
  return {
    sessions,
    detector: createFaceDetector(sessions.detector),
    analyser: createFaceAnalyser(sessions.landmarks, limits),
    embedder: createEmbedder(sessions.embedder),
    async close() {
      for (const session of Object.values(sessions)) await session.close();
    },
  };
}
