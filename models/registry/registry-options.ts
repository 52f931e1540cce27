import { defaultModelsDir } from './default-models-dir.ts';
import { loadManifest } from './load-manifest.ts';
import type { Manifest } from './manifest-schema.ts';

/** What every operation of the registry works on; both have a default. */
export interface RegistryOptions {
  /** The models folder. */
  readonly store?: string | undefined;
  readonly manifest?: Manifest | undefined;
}

export function resolveRegistry({ store, manifest }: RegistryOptions): { store: string; manifest: Manifest } {
  return { store: store ?? defaultModelsDir(), manifest: manifest ?? loadManifest() };
}
