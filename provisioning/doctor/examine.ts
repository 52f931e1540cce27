import { readFile } from 'node:fs/promises';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { checkCameras } from './check-cameras.ts';
import { checkFolders } from './check-folders.ts';
import { checkInference } from './check-inference.ts';
import { checkLeases } from './check-leases.ts';
import { checkModels } from './check-models.ts';
import { checkNativeModules } from './check-native-modules.ts';
import { checkProcess } from './check-process.ts';
import type { Finding } from './finding.ts';

/** Every check of `securegate doctor`, with those of a configuration where one is given. Never throws for what it finds. */
export async function examine(configFile: string | undefined): Promise<Finding[]> {
  const { engines } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { engines: { node: string } };
  const { config, findings } = await readConfig(configFile);
  const [native, inference, models] = await Promise.all([
    checkNativeModules(),
    checkInference(config?.inference.provider ?? 'auto'),
    checkModels({ set: config?.models.set, modelsDir: config?.modelsDir }),
  ]);
  const cameras = config?.cameras.length ?? 0;
  return [
    ...checkProcess({ version: process.versions.node, engines: engines.node, env: process.env, cameras }),
    ...native,
    inference,
    ...models,
    ...findings,
    ...(config === null ? [] : [...checkFolders(config), ...checkCameras(config), await checkLeases(config.lease?.tpm)]),
  ];
}

async function readConfig(file: string | undefined) {
  if (file === undefined) return { config: null, findings: [] };
  const check = 'configuration';
  try {
    const { loadConfig } = await import('../../edge/config/load-config.ts');
    const config = loadConfig(file);
    const finding: Finding = { check, state: 'ok', message: `tenants: ${config.tenants.length}, cameras: ${config.cameras.length}` };
    return { config, findings: [finding] };
  } catch (error) {
    const { message, details, next } = SecureGateError.from(error);
    const faults = Object.values(details).flat().join('; ');
    const finding: Finding = { check, state: 'fail', message: faults === '' ? message : `${message}: ${faults}`, next };
    return { config: null, findings: [finding] };
  }
}
