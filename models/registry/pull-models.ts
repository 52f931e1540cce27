import { existsSync } from 'node:fs';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { type FetchOptions, fetchSources } from './fetch-sources.ts';
import { findSet, membersOf } from './find-set.ts';
import { hashFile } from './hash-file.ts';
import { installModel } from './install-model.ts';
import { installedFiles } from './installed-files.ts';
import type { ModelEntry } from './manifest-schema.ts';
import { type RegistryOptions, resolveRegistry } from './registry-options.ts';
import { requireLicence } from './require-licence.ts';
import { withStaging } from './staging.ts';
import { verifyModel } from './verify-model.ts';

export interface PullOptions extends RegistryOptions, FetchOptions {
  /** The manifest's default set when left out. */
  readonly set?: string | undefined;
  readonly acceptLicence?: boolean | undefined;
}

export interface PulledModel {
  readonly id: string;
  /** `present`: was there already, and sound. */
  readonly state: 'present' | 'installed';
}

/**
 * Fetches and installs what a set lacks. Whatever goes wrong, or whenever the process is killed, each model is afterwards
 * either installed as a whole or not at all.
 * @throws {SecureGateError} `model_unknown`, `model_licence`, `model_source`, `model_integrity`, `model_contract`, `storage_failed`
 */
export async function pullModels(options: PullOptions = {}): Promise<PulledModel[]> {
  const { store, manifest } = resolveRegistry(options);
  const members = membersOf(findSet(manifest, options.set ?? manifest.defaultSet));
  const lacking: ModelEntry[] = [];
  for (const entry of members) if (!(await isSound(entry, store))) lacking.push(entry);
  // Refusals come before anything is fetched.
  for (const entry of lacking) requireLicence(entry, options.acceptLicence ?? false);
  if (lacking.length > 0) {
    await withStaging(store, async (staging) => {
      const unseen: ModelEntry[] = [];
      for (const entry of lacking) {
        const { source } = installedFiles(store, entry);
        // A version that rewrites the model otherwise than the one before needs no network.
        if (await isSource(entry, source)) await installModel(entry, source, store);
        else unseen.push(entry);
      }
      const files = await fetchSources(unseen, staging, options);
      for (const [entry, file] of files) await installModel(entry, file, store);
    });
  }
  return members.map((entry) => ({ id: entry.id, state: lacking.includes(entry) ? 'installed' : 'present' }));
}

async function isSource({ sha256 }: ModelEntry, file: string): Promise<boolean> {
  return sha256 !== null && existsSync(file) && (await hashFile(file)) === sha256;
}

async function isSound(entry: ModelEntry, store: string): Promise<boolean> {
  try {
    await verifyModel(entry, store);
    return true;
  } catch (error) {
    if (error instanceof SecureGateError && (error.code === 'model_missing' || error.code === 'model_integrity')) return false;
    throw error;
  }
}
