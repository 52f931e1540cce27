import { checkInstalled } from './check-installed.ts';
import { findSet } from './find-set.ts';
import type { ModelEntry } from './manifest-schema.ts';
import { type RegistryOptions, resolveRegistry } from './registry-options.ts';

export interface InstalledModel {
  readonly entry: ModelEntry;
  /** File to load, checked a moment ago. */
  readonly path: string;
  /** SHA-256 of the file as its source has it. */
  readonly sha256: string;
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
  const installed = async (entry: ModelEntry): Promise<InstalledModel> => {
    const { path, record } = await checkInstalled(entry, store);
    return { entry, path, sha256: record.sourceSha256 };
  };
  return {
    name: set.name,
    detector: await installed(set.detector),
    landmarks: set.landmarks === null ? null : await installed(set.landmarks),
    embedder: await installed(set.embedder),
  };
}
