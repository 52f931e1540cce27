import { homedir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { projectRoot } from './project-root.ts';

/**
 * Folder of the model files unless somebody chooses another: `SECUREGATE_MODELS_DIR`, else `.cache/models` of a checkout,
 * else the user's data folder (XDG Base Directory Specification), since an installed package is replaced as a whole.
 */
export function defaultModelsDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.SECUREGATE_MODELS_DIR) return resolve(env.SECUREGATE_MODELS_DIR);
  const root = projectRoot();
  if (!root.split(sep).includes('node_modules')) return join(root, '.cache', 'models');
  return join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'securegate', 'models');
}
