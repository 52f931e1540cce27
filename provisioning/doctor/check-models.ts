import { verifyModels } from '../../models/registry/verify-models.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Finding } from './finding.ts';

/** Whether every model of the set is there and is what the manifest says. */
export async function checkModels(options: {
  readonly set: string | undefined;
  readonly modelsDir: string | undefined;
}): Promise<Finding[]> {
  try {
    const models = await verifyModels({ set: options.set, store: options.modelsDir });
    if (models.length === 0) return [failed(new SecureGateError('model_missing', 'no model is installed'))];
    return models.map(({ id, fault }) => (fault === null ? { check: `model ${id}`, state: 'ok', message: 'verified' } : failed(fault, id)));
  } catch (error) {
    return [failed(SecureGateError.from(error))];
  }
}

function failed({ message, next }: SecureGateError, id?: string): Finding {
  return { check: id === undefined ? 'models' : `model ${id}`, state: 'fail', message, next };
}
