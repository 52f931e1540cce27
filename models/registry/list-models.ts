import { existsSync } from 'node:fs';
import { installedFiles } from './installed-files.ts';
import type { ModelEntry } from './manifest-schema.ts';
import { type RegistryOptions, resolveRegistry } from './registry-options.ts';

export interface ListedModel {
  readonly entry: ModelEntry;
  /** Names of the sets it belongs to. */
  readonly sets: readonly string[];
  /** Its files are there; whether they are sound, `verifyModels` says. */
  readonly installed: boolean;
}

/** All models that the manifest knows, in its order. */
export function listModels(options: RegistryOptions = {}): ListedModel[] {
  const { store, manifest } = resolveRegistry(options);
  return manifest.models.map((entry) => {
    const sets = Object.entries(manifest.sets).filter(([, set]) => [set.detector, set.landmarks, set.embedder].includes(entry.id));
    return { entry, sets: sets.map(([name]) => name), installed: existsSync(installedFiles(store, entry).record) };
  });
}
