import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { download } from './download.ts';
import { fetchNpmFiles } from './fetch-npm-files.ts';
import type { ModelEntry } from './manifest-schema.ts';

export interface FetchProgress {
  /** Package or model that is being fetched. */
  readonly what: string;
  readonly bytes: number;
  /** 0 when it is not known. */
  readonly total: number;
}

export interface FetchOptions {
  /** Folder that holds the files or the packages' tarballs; the network is then not touched. */
  readonly from?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
}

type NpmSource = Extract<ModelEntry['source'], { type: 'npm' }>;

/**
 * Finds or fetches the file of every model as its source has it.
 * @param staging folder for what is fetched
 * @returns the file of each model; not yet compared with the model's own SHA-256
 * @throws {SecureGateError} `model_source`, `model_integrity`
 */
export async function fetchSources(
  entries: readonly ModelEntry[],
  staging: string,
  options: FetchOptions,
): Promise<Map<ModelEntry, string>> {
  const files = new Map<ModelEntry, string>();
  for (const entry of entries) {
    const file = options.from === undefined ? null : join(options.from, fileName(entry));
    if (file !== null && existsSync(file)) files.set(entry, file);
  }
  for (const entry of entries) {
    if (files.has(entry)) continue;
    const { source } = entry;
    if (source.type !== 'npm') {
      files.set(entry, await fetchSingle(entry, staging, options));
      continue;
    }
    // One tarball often holds several models: all that are wanted of it are taken at once.
    const packed = entries.filter(({ source: other }) => other.type === 'npm' && other.integrity === source.integrity);
    const wanted = packed.filter((candidate) => !files.has(candidate));
    for (const [member, file] of await fetchTarball(source, wanted, staging, options)) files.set(member, file);
  }
  return files;
}

async function fetchTarball(
  source: NpmSource,
  entries: readonly ModelEntry[],
  staging: string,
  { from, signal, onProgress }: FetchOptions,
): Promise<[ModelEntry, string][]> {
  const tarball = from === undefined ? undefined : join(from, tarballName(source));
  if (tarball !== undefined && !existsSync(tarball)) {
    const names = entries.map(fileName).join(', ');
    throw new SecureGateError('model_source', `${from} holds neither ${tarballName(source)} nor ${names}`, { details: { folder: from } });
  }
  const into = join(staging, 'npm');
  const paths = entries.map((entry) => (entry.source.type === 'npm' ? entry.source.path : ''));
  const what = `${source.package}@${source.version}`;
  await fetchNpmFiles({
    package: source.package,
    version: source.version,
    integrity: source.integrity,
    paths,
    into,
    tarball,
    signal,
    onProgress: (bytes) => onProgress?.({ what, bytes, total: source.bytes }),
  });
  return entries.map((entry, index) => [entry, join(into, paths[index] ?? '')]);
}

async function fetchSingle(entry: ModelEntry, staging: string, { from, signal, onProgress }: FetchOptions): Promise<string> {
  const { id, source, sha256 } = entry;
  const name = fileName(entry);
  if (from !== undefined) throw new SecureGateError('model_source', `${from} holds no ${name}`, { details: { model: id, folder: from } });
  if (source.type !== 'url' || sha256 === null) {
    const hint = source.type === 'operator' ? source.hint : '';
    throw new SecureGateError('model_source', `${id} cannot be fetched, bring it and pass its folder with --from. ${hint}`, {
      details: { model: id, file: name },
    });
  }
  const to = join(staging, `${id}.onnx`);
  const integrity = `sha256-${Buffer.from(sha256, 'hex').toString('base64')}`;
  const total = entry.bytes ?? 0;
  await download({ spec: source.url, integrity, to, signal, onProgress: (bytes) => onProgress?.({ what: id, bytes, total }) });
  return to;
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
