import { existsSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import fastifyStatic from '@fastify/static';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Api } from '../api.ts';

/** Files with a hash of their content in the name never change. */
const HASHED = /^assets\//;

/** Addresses of the API, and those that lead out of the folder. */
const NOT_OURS = /^(v1|metrics)(\/|$)|(^|\/)\.\.(\/|$)/;

/**
 * Serves the operator's page. Its own addresses (`/people`) all lead to `index.html`; they have no dot, files have one.
 * @throws {SecureGateError} `config_invalid` where the folder holds no page
 */
export async function addConsole(api: Api, folder: string): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) {
    throw new SecureGateError('config_invalid', 'The folder of the console holds no page', { details: { folder } });
  }
  await api.register(fastifyStatic, {
    root: folder,
    serve: false,
    cacheControl: false,
    dotfiles: 'ignore',
    // Only of a file that is there: a browser would keep the answer that there is none for just as long.
    setHeaders: (response, path) => {
      if (HASHED.test(relative(folder, path))) response.header('cache-control', 'public, max-age=31536000, immutable');
    },
  });
  api.get('/*', { config: { access: 'public' }, schema: { hide: true } }, async (request, reply) => {
    const path = (request.params as { '*': string })['*'];
    if (NOT_OURS.test(path)) throw new SecureGateError('not_found', 'There is no such route');
    if (extname(path) === '') return reply.sendFile('index.html');
    return reply.sendFile(path);
  });
}
