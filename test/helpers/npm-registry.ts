import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import { onTestFinished, vi } from 'vitest';
import { tempFolder } from './temp-folder.ts';

export interface Package {
  readonly name: string;
  readonly version: string;
  readonly tarball: Buffer;
  readonly integrity: string;
}

/** Packs files as `npm pack` does: everything under `package/`. */
export async function makePackage(name: string, version: string, files: Readonly<Record<string, Uint8Array>>): Promise<Package> {
  const folder = await tempFolder();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, 'package', path)), { recursive: true });
    await writeFile(join(folder, 'package', path), content);
  }
  await create({ cwd: folder, file: join(folder, 'package.tgz'), gzip: true, portable: true }, ['package']);
  const tarball = await readFile(join(folder, 'package.tgz'));
  return { name, version, tarball, integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}` };
}

export interface Registry {
  readonly url: string;
  /** Path and authorization header of every request so far. */
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[];
}

/**
 * An npm registry that holds one package, for one test.
 * @param send how the tarball is sent; whole and at once when left out
 */
export async function startRegistry(
  held: Package,
  send = (response: ServerResponse, tarball: Buffer): void => {
    response.end(tarball);
  },
): Promise<Registry> {
  const requests: Registry['requests'] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push({ path, authorization: request.headers.authorization });
    if (path.endsWith('.tgz')) {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': held.tarball.length });
      send(response, held.tarball);
    } else if (decodeURIComponent(path) === `/${held.name}`) {
      const { name, version, integrity } = held;
      const dist = { tarball: `${url}/${encodeURIComponent(name)}/-/held-${version}.tgz`, integrity };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: { name, version, dist } } }));
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const address = server.address();
  const url = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  return { url, requests };
}

/** Makes npm's configuration, for this test, a registry and nothing else. */
export async function useRegistry(url: string): Promise<void> {
  const home = await tempFolder();
  vi.stubEnv('npm_config_registry', url);
  vi.stubEnv('npm_config_cache', join(home, 'cache'));
  vi.stubEnv('npm_config_userconfig', join(home, 'npmrc'));
  vi.stubEnv('npm_config_fetch_retries', '0');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}
