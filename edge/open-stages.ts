import { availableParallelism } from 'node:os';
import { type InstalledModel, resolveSet } from '../models/registry/resolve-set.ts';
import type { Logger } from '../shared/log/create-logger.ts';
import type { Config } from './config/schema.ts';
import { fittedSize, type Size } from './inference/fit-image.ts';
import { fieldsOf } from './pipeline/detect/fields-of.ts';
import type { ModelsAtWork } from './pipeline/pipeline-options.ts';
import type { StageInfo } from './pipeline/stage-tasks.ts';
import { Stages } from './pipeline/stages.ts';

const MOST_DEFAULT_THREADS = 8;

export interface OpenStages extends StageInfo, ModelsAtWork {
  /** Name of the set. */
  readonly set: string;
  /** Inference threads, each with the models of its own. */
  readonly threads: number;
  /** Size at which the detector looks at the whole of a frame. */
  readonly reducedSize: (frame: Size) => Size;
  /** What the models are and what their licences allow. */
  readonly licences: readonly { readonly id: string; readonly task: string; readonly licence: string; readonly commercialUse: boolean }[];
  /** SHA-256 of each model's file as its source has it. */
  readonly files: readonly { readonly id: string; readonly sha256: string }[];
  /** The embedding model's own threshold, for tenants that set none. */
  readonly matchThreshold: number;
}

/**
 * Loads the configured model set, or the default one, on its inference threads.
 * @throws {SecureGateError} `model_unknown`, `model_missing`, `model_integrity`, `model_contract`
 */
export async function openStages(config: Pick<Config, 'models' | 'modelsDir' | 'inference'>, logger: Logger): Promise<OpenStages> {
  const set = await resolveSet(config.models.set, config.modelsDir === undefined ? {} : { store: config.modelsDir });
  const threads = config.inference.workers || Math.min(availableParallelism(), MOST_DEFAULT_THREADS);
  const stages = new Stages({ models: set, provider: config.inference.provider }, threads, logger);
  const members = [set.detector, set.landmarks, set.embedder].filter((model) => model !== null);
  try {
    const info = await stages.start();
    return {
      ...info,
      set: set.name,
      threads,
      stages,
      reducedSize: (frame) => fittedSize(frame, set.detector.entry.input, set.detector.entry.input),
      // An accelerator prepares itself for each size of its input anew, which takes longer than hours of looking at the whole.
      fields: info.provider === 'cpu' ? fieldsOf(set.detector.entry) : undefined,
      models: {
        detector: set.detector.entry.id,
        landmarks: set.landmarks?.entry.id ?? null,
        embedder: set.embedder.entry.id,
      },
      licences: members.map(({ entry }) => licenceOf(entry)),
      files: members.map(({ entry: { id }, sha256 }) => ({ id, sha256 })),
      matchThreshold: set.embedder.entry.defaultThreshold ?? 1,
    };
  } catch (error) {
    await stages.stop();
    throw error;
  }
}

function licenceOf({ id, task, licence }: InstalledModel['entry']): OpenStages['licences'][number] {
  return { id, task, licence: licence.name, commercialUse: licence.commercialUse };
}
