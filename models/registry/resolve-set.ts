import { checkInstalled } from './check-installed.ts';
import { findSet } from './find-set.ts';
import type { ModelEntry } from './manifest-schema.ts';
import { type RegistryOptions, resolveRegistry } from './registry-options.ts';

export interface InstalledModel {
  readonly entry: ModelEntry;
  /** File to load, checked a moment ago. */
  readonly path: string;
}

export interface InstalledSet {
  readonly name: string;
  readonly detector: InstalledModel;
  /** Null where the detector finds the five points itself. */
  readonly landmarks: InstalledModel | null;
  readonly embedder: InstalledModel;
}

/**
 * The files of a set, ready to be loaded.
 * @param name the manifest's default set when left out
 * @throws {SecureGateError} `model_unknown`, `model_missing`, `model_integrity`
 */
export async function resolveSet(name?: string, options: RegistryOptions = {}): Promise<InstalledSet> {
  const { store, manifest } = resolveRegistry(options);
  const set = findSet(manifest, name ?? manifest.defaultSet);
  const installed = async (entry: ModelEntry): Promise<InstalledModel> => ({ entry, path: (await checkInstalled(entry, store)).path });
  return {
    name: set.name,
    detector: await installed(set.detector),
    landmarks: set.landmarks === null ? null : await installed(set.landmarks),
    embedder: await installed(set.embedder),
  };
}
