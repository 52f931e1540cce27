import { join } from 'node:path';
import type { Logger } from '../shared/log/create-logger.ts';
import type { RunningParts } from '../shared/runtime/running-parts.ts';
import { IssuerKeys } from '../shared/tokens/issuer-keys.ts';
import type { TrustedIssuer } from '../shared/tokens/token-verifier.ts';
import type { CloudConfig } from './config/schema.ts';
import { LocalIssuer } from './iam/local-issuer.ts';

export interface TrustedIssuersOptions {
  readonly config: CloudConfig;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Whose access tokens count: this machine signs them for whoever works on it, the configured issuer for everybody else. */
export async function startTrustedIssuers(running: RunningParts, { config, now, logger }: TrustedIssuersOptions): Promise<TrustedIssuer[]> {
  const local = await LocalIssuer.open(config.dataDir).trusted();
  if (config.issuer === undefined) return [local];
  const keys = new IssuerKeys({ config: config.issuer, file: join(config.dataDir, 'issuer-keys.json'), now, logger });
  await running.start(keys);
  return [local, keys.trusted];
}
