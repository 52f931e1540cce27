import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
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
    throw new SecureGateError('config_invalid', `${file} is not JSON`, { cause: error });
  }
  const config = parseConfig(json);
  const base = dirname(resolve(file));
  const from = (path: string): string => (isAbsolute(path) ? path : resolve(base, path));
  const { tls } = config.api;
  return {
    ...config,
    dataDir: from(config.dataDir),
    keyDir: from(config.keyDir),
    api: { ...config.api, ...(tls === undefined ? {} : { tls: { cert: from(tls.cert), key: from(tls.key) } }) },
    ...(config.modelsDir === undefined ? {} : { modelsDir: from(config.modelsDir) }),
  };
}

/** @throws {SecureGateError} `config_invalid` with the fields at fault */
export function parseConfig(json: unknown): Config {
  const parsed = configSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  // A camera's address may hold its password: the fields are named, their values are not.
  const fields = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new SecureGateError('config_invalid', `Configuration is not valid:\n${z.prettifyError(parsed.error)}`, { details: { fields } });
}
