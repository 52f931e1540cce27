import type { Logger } from '../shared/log/create-logger.ts';
import { type Config, configSchema } from './config/schema.ts';
import { type OpenStages, openStages } from './open-stages.ts';
import { describeStill } from './pipeline/describe-still.ts';
import { wipe } from './pipeline/sighting/dossier.ts';

type ModelConfig = Pick<Config, 'models' | 'modelsDir' | 'inference'>;

/**
 * The stages alone, to measure them on pictures: the composition root of `securegate eval`. It touches no vault and no data
 * folder, so it runs beside the daemon.
 */
export class Evaluation {
  readonly #engine: OpenStages;

  constructor(engine: OpenStages) {
    this.#engine = engine;
  }

  get models(): OpenStages['models'] {
    return this.#engine.models;
  }

  /** The embedding model's own threshold, for tenants that set none. */
  get matchThreshold(): number {
    return this.#engine.matchThreshold;
  }

  /** The face of a picture as a search takes it; belongs to the caller. @throws {SecureGateError} those of `describeStill` */
  async describe(image: Buffer): Promise<Float32Array> {
    const { shot, embedding } = await describeStill(this.#engine.stages, image, 'search');
    wipe(shot);
    return embedding;
  }

  close(): Promise<void> {
    return this.#engine.stages.stop();
  }
}

/**
 * @param config of the box whose models are measured; the product's defaults unless given
 * @throws {SecureGateError} those of `openStages`
 */
export async function openEvaluation(config: ModelConfig | undefined, { logger }: { readonly logger: Logger }): Promise<Evaluation> {
  const { models, inference } = configSchema.shape;
  const defaults: ModelConfig = { models: models.parse(undefined), inference: inference.parse(undefined) };
  return new Evaluation(await openStages(config ?? defaults, logger));
}
