import { existsSync } from 'node:fs';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { findSet, membersOf } from './find-set.ts';
import { installedFiles } from './installed-files.ts';
import type { ModelEntry } from './manifest-schema.ts';
import { type RegistryOptions, resolveRegistry } from './registry-options.ts';
import { verifyModel } from './verify-model.ts';

export interface VerifiedModel {
  readonly id: string;
  /** What is wrong; null when the files are what the manifest says. */
  readonly fault: SecureGateError | null;
}

/**
 * Checks the files of a set, or of everything that is installed, as `verifyModel` does.
 * @returns one line a model; never throws for a fault of a model
 * @throws {SecureGateError} `model_unknown` no such set
 */
export async function verifyModels(options: RegistryOptions & { readonly set?: string | undefined } = {}): Promise<VerifiedModel[]> {
  const { store, manifest } = resolveRegistry(options);
  const entries =
    options.set === undefined
      ? manifest.models.filter((entry) => existsSync(installedFiles(store, entry).folder))
      : membersOf(findSet(manifest, options.set));
  const verified: VerifiedModel[] = [];
  for (const entry of entries) verified.push({ id: entry.id, fault: await faultOf(entry, store) });
  return verified;
}

async function faultOf(entry: ModelEntry, store: string): Promise<SecureGateError | null> {
  try {
    await verifyModel(entry, store);
    return null;
  } catch (error) {
    return SecureGateError.from(error, 'storage_failed');
  }
}
