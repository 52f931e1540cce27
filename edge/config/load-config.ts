import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { type Config, configSchema } from './schema.ts';

/**
 * Reads and checks a configuration file (JSON). Relative paths count from the file's own folder.
 * @throws {SecureGateError} `config_missing`, `config_invalid` with the fields at fault
 */
export function loadConfig(file: string): Config {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new SecureGateError('config_missing', `Cannot read ${file}`, { cause: error });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    // The parser's message quotes the file, which may hold a camera's password: only the place is told.
    const place = error instanceof Error ? /line \d+ column \d+/.exec(error.message)?.[0] : undefined;
    throw new SecureGateError('config_invalid', `${file} is not JSON`, { details: place === undefined ? {} : { place } });
  }
  const config = parseConfig(json);
  const base = dirname(resolve(file));
  const from = (path: string): string => (isAbsolute(path) ? path : resolve(base, path));
  const filesOf = <Files extends { cert: string; key: string }>(files: Files): Files => ({
    ...files,
    cert: from(files.cert),
    key: from(files.key),
  });
  const {
    lease,
    api: { tls },
  } = config;
  const cameras = config.cameras.map((camera) => ({ ...camera, url: isAddress(camera.url) ? camera.url : from(camera.url) }));
  return {
    ...config,
    cameras,
    dataDir: from(config.dataDir),
    keyDir: from(config.keyDir),
    api: { ...config.api, ...(tls === undefined ? {} : { tls: { ...filesOf(tls), certificates: tls.certificates.map(filesOf) } }) },
    ...(lease === undefined
      ? {}
      : {
          lease: {
            ...lease,
            ...(lease.kmsKeys && { kmsKeys: from(lease.kmsKeys) }),
            ...(lease.kmsSocket && { kmsSocket: from(lease.kmsSocket) }),
          },
        }),
    ...(config.keyringReplicaDir === undefined ? {} : { keyringReplicaDir: from(config.keyringReplicaDir) }),
    ...(config.modelsDir === undefined ? {} : { modelsDir: from(config.modelsDir) }),
  };
}

/** Whether a camera's url is an address on the network, not the path of a video file. */
function isAddress(url: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(url);
}

/** @throws {SecureGateError} `config_invalid` with the fields at fault */
export function parseConfig(json: unknown): Config {
  const parsed = configSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  // A camera's address may hold its password: the fields are named, their values are not.
  const fields = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`);
  throw new SecureGateError('config_invalid', 'The configuration is not valid', { details: { fields } });
}
