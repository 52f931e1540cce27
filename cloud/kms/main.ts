import { randomBytes } from 'node:crypto';
import { readConfig } from '../../shared/config/read-config.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { kmsConfigSchema } from './config/schema.ts';
import { Kms } from './kms.ts';

/**
 * Runs the KMS until SIGTERM or SIGINT. Only this process has the HSM's user PIN.
 * @returns the exit code
 * @throws {SecureGateError} what kept it from starting
 */
export async function runKms(configFile: string): Promise<number> {
  process.umask(0o077);
  process.title = 'securegate-kms';
  const logger = createLogger('kms');
  const kms = new Kms({
    config: readConfig(configFile, kmsConfigSchema),
    now: Date.now,
    monotonic: () => performance.now(),
    random: randomBytes,
    logger,
  });
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  await kms.start();
  logger.info({ signal: await stopped }, 'stopping');
  await kms.stop();
  return 0;
}
