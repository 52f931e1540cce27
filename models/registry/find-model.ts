import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Manifest, ModelEntry } from './manifest-schema.ts';

/** @throws {SecureGateError} `model_unknown` */
export function findModel(manifest: Manifest, id: string): ModelEntry {
  const entry = manifest.models.find((model) => model.id === id);
  if (entry === undefined) throw new SecureGateError('model_unknown', `the manifest has no model ${id}`, { details: { model: id } });
  return entry;
}
