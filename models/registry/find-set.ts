import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { findModel } from './find-model.ts';
import type { Manifest, ModelEntry } from './manifest-schema.ts';

export interface ModelSet {
  readonly name: string;
  readonly detector: ModelEntry;
  /** Null where the detector finds the five points itself. */
  readonly landmarks: ModelEntry | null;
  readonly embedder: ModelEntry;
}

/** @throws {SecureGateError} `model_unknown` */
export function findSet(manifest: Manifest, name: string): ModelSet {
  // Not `manifest.sets[name]`: a set called `constructor` does not exist either.
  const set = Object.hasOwn(manifest.sets, name) ? manifest.sets[name] : undefined;
  if (set === undefined) throw new SecureGateError('model_unknown', `the manifest has no set ${name}`, { details: { set: name } });
  return {
    name,
    detector: findModel(manifest, set.detector),
    landmarks: set.landmarks === null ? null : findModel(manifest, set.landmarks),
    embedder: findModel(manifest, set.embedder),
  };
}

/** The models of a set, each once. */
export function membersOf({ detector, landmarks, embedder }: ModelSet): ModelEntry[] {
  return landmarks === null ? [detector, embedder] : [detector, landmarks, embedder];
}
