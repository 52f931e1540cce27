import { readConfig } from '../shared/config/read-config.ts';
import type { SecureGateError } from '../shared/errors/securegate-error.ts';
import { createLogger } from '../shared/log/create-logger.ts';
import { cloudConfigSchema } from './config/schema.ts';
import { storeAddress } from './config/store-address.ts';
import { ControlPlane } from './control-plane.ts';

/**
 * Runs the control plane until SIGTERM or SIGINT.
 * @param onReady called with the address of the API
 * @returns the exit code
 * @throws {SecureGateError} what kept it from starting
 */
export async function runCloud(configFile: string, onReady: (url: string) => void = () => undefined): Promise<number> {
  process.umask(0o077);
  const logger = createLogger('cloud');
  const config = readConfig(configFile, cloudConfigSchema);
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  const failed = Promise.withResolvers<SecureGateError>();
  const store = storeAddress(config.dataDir, process.env);
  const cloud = new ControlPlane({ config, store, onFailed: failed.resolve, now: Date.now, logger });
  await cloud.start();
  logger.info({ api: cloud.url }, 'started');
  onReady(cloud.url);
  const why = await Promise.race([stopped, failed.promise]);
  if (typeof why === 'string') logger.info({ signal: why }, 'stopping');
  else logger.error({ err: why }, 'stopping: it cannot go on');
  return (await cloud.stop()) && typeof why === 'string' ? 0 : 1;
}
