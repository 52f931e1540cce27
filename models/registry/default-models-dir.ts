import { join, resolve } from 'node:path';
import { projectRoot } from './project-root.ts';

/** Folder of the model files unless somebody chooses another: `SECUREGATE_MODELS_DIR`, else `.cache/models` beside the sources. */
export function defaultModelsDir(env: NodeJS.ProcessEnv = process.env): string {
  return env.SECUREGATE_MODELS_DIR ? resolve(env.SECUREGATE_MODELS_DIR) : join(projectRoot(), '.cache', 'models');
}
