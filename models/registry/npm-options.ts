import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Options } from 'pacote';
import { z } from 'zod';
import { isMissing } from '../../shared/errors/is-missing.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

const run = promisify(execFile);

const text = z.string().nullish();
const npmConfigSchema = z.looseObject({
  registry: text,
  cache: text,
  proxy: text,
  'https-proxy': text,
  noproxy: z.union([z.string(), z.array(z.string())]).nullish(),
  ca: z.union([z.string(), z.array(z.string())]).nullish(),
  cafile: text,
  cert: text,
  key: text,
  'strict-ssl': z.boolean().nullish(),
  'local-address': text,
  offline: z.boolean().nullish(),
  'prefer-offline': z.boolean().nullish(),
  'fetch-retries': z.number().nullish(),
  'fetch-timeout': z.number().nullish(),
  userconfig: text,
  globalconfig: text,
  'local-prefix': text,
});

/**
 * What npm itself would use to fetch a package: registry, proxies, certificates, cache, retries and credentials, from
 * every place npm reads them (environment, the project's, the user's and the global npmrc). npm is asked, since only it
 * knows all of these places; credentials it does not tell, so they are read from the npmrc files that it names.
 * Without npm on the machine, pacote's own defaults hold.
 * @param cwd folder whose `.npmrc` counts
 * @throws {SecureGateError} `model_source` when npm's configuration cannot be read
 */
export async function npmOptions(cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<Options> {
  const listed = await askNpm(cwd, env);
  if (listed === null) return {};
  const config = npmConfigSchema.parse(listed);
  const options: Record<string, unknown> = {};
  const put = (name: string, value: unknown): void => {
    if (value !== null && value !== undefined && value !== '') options[name] = value;
  };
  put('registry', config.registry);
  put('proxy', config.proxy);
  put('httpsProxy', config['https-proxy']);
  put('noProxy', config.noproxy);
  put('ca', config.ca ?? (config.cafile ? await splitCertificates(config.cafile) : null));
  put('cert', config.cert);
  put('key', config.key);
  put('strictSSL', config['strict-ssl']);
  put('localAddress', config['local-address']);
  put('offline', config.offline);
  put('preferOffline', config['prefer-offline']);
  put('timeout', config['fetch-timeout']);
  if (config.cache) put('cache', join(config.cache, '_cacache'));
  if (typeof config['fetch-retries'] === 'number') put('retry', { retries: config['fetch-retries'] });
  for (const [name, value] of Object.entries(config)) {
    if (name.startsWith('//') || /^@[^:]+:registry$/.test(name)) put(name, value);
  }
  // The stronger source comes last.
  for (const file of [config.globalconfig, config.userconfig, join(cwd, '.npmrc')]) {
    if (file) Object.assign(options, await credentialsOf(file, env));
  }
  for (const [name, value] of Object.entries(env)) {
    const credential = /^npm_config_(\/\/.+)$/i.exec(name)?.[1];
    if (credential !== undefined) put(credential, value);
  }
  return options;
}

async function askNpm(cwd: string, env: NodeJS.ProcessEnv): Promise<unknown> {
  try {
    const { stdout } = await run('npm', ['config', 'ls', '--json'], { cwd, env, maxBuffer: 1 << 22 });
    return JSON.parse(stdout);
  } catch (error) {
    if (isMissing(error)) return null;
    throw new SecureGateError('model_source', "npm's configuration cannot be read", { cause: error });
  }
}

/** Lines such as `//host/path/:_authToken=...` of one npmrc file; `${NAME}` stands for a variable of the environment. */
async function credentialsOf(file: string, env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const line of (await readIfThere(file)).split(/\r?\n/)) {
    const match = /^\s*(\/\/[^=]+?)\s*=\s*(.*?)\s*$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const value = match[2].replace(/^(["'])(.*)\1$/, '$2');
    found[match[1]] = value.replace(/\$\{([^${}]+)\}/g, (whole, name: string) => env[name] ?? whole);
  }
  return found;
}

async function splitCertificates(file: string): Promise<string[]> {
  return (await readIfThere(file)).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw new SecureGateError('model_source', `cannot read ${file}`, { cause: error });
  }
}
