import { readFileSync } from 'node:fs';
import { type Manifest, manifestSchema } from './manifest-schema.ts';

const MANIFEST = new URL('../manifest.json', import.meta.url);

/** Reads `models/manifest.json`. A manifest that does not fit its schema is a fault of the product and throws as it comes. */
export function loadManifest(): Manifest {
  return manifestSchema.parse(JSON.parse(readFileSync(MANIFEST, 'utf8')));
}
