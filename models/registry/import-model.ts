import { readFile } from 'node:fs/promises';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { decodeModel, shapeOf } from '../convert/onnx-graph.ts';
import { checkContract } from './check-contract.ts';
import { findModel } from './find-model.ts';
import { hashFile } from './hash-file.ts';
import { installModel } from './install-model.ts';
import type { Manifest, ModelEntry } from './manifest-schema.ts';
import { type RegistryOptions, resolveRegistry } from './registry-options.ts';
import { requireLicence } from './require-licence.ts';

export interface ImportOptions extends RegistryOptions {
  /** Id of the model that the file is; left out, its SHA-256 tells. */
  readonly as?: string | undefined;
  readonly acceptLicence?: boolean | undefined;
}

/**
 * Installs a model from a file that the operator brings.
 * @returns the model's id
 * @throws {SecureGateError} `file_unreadable`, `model_unknown`, `model_licence`, `model_integrity`, `model_contract`, `storage_failed`
 */
export async function importModel(file: string, options: ImportOptions = {}): Promise<string> {
  const { store, manifest } = resolveRegistry(options);
  const sha256 = await hashFile(file).catch((cause: unknown) => {
    throw new SecureGateError('file_unreadable', `cannot read ${file}`, { cause, details: { file } });
  });
  const entry = options.as === undefined ? findBySha256(manifest, sha256, file) : findModel(manifest, options.as);
  // Somebody who names the wrong model learns more from its shape than from a SHA-256 that differs.
  checkContract(entry, shapeOf(decodeModel(await readFile(file)).graph), entry.rewrite === null);
  requireLicence(entry, options.acceptLicence ?? false);
  await installModel(entry, file, store);
  return entry.id;
}

function findBySha256(manifest: Manifest, sha256: string, file: string): ModelEntry {
  const entry = manifest.models.find((model) => model.sha256 === sha256);
  if (entry !== undefined) return entry;
  throw new SecureGateError('model_unknown', `no model of the manifest has the SHA-256 of ${file}; say which one it is`, {
    details: { sha256 },
  });
}
