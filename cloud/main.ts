import { readConfig } from '../shared/config/read-config.ts';
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
  const cloud = new ControlPlane({ config, store: storeAddress(config.dataDir, process.env), now: Date.now, logger });
  await cloud.start();
  logger.info({ api: cloud.url }, 'started');
  onReady(cloud.url);
  logger.info({ signal: await stopped }, 'stopping');
  return (await cloud.stop()) ? 0 : 1;
}
