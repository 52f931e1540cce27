import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import openapiTs, { astToString, COMMENT_HEADER } from 'openapi-typescript';
import { cloudConfigSchema } from '../../cloud/config/schema.ts';
import { ControlPlane } from '../../cloud/control-plane.ts';
import { createLogger } from '../../shared/log/create-logger.ts';

/**
 * The types of the control plane's API, made from the document that it serves.
 * `node test/helpers/format-cloud-types.ts > shared/cloud-client/paths.ts` writes them anew.
 */
export async function formatCloudTypes(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sg-types-'));
  // Asked for its routes alone, it needs no KMS.
  const config = cloudConfigSchema.parse({ dataDir, api: { port: 0 }, kms: { socket: join(dataDir, 'kms.sock') } });
  const logger = createLogger('cloud', { level: 'silent' });
  const cloud = new ControlPlane({ config, store: { file: join(dataDir, 'cloud.db') }, now: Date.now, logger });
  try {
    await cloud.start();
    const document = (await (await fetch(`${cloud.url}/openapi.json`)).json()) as Parameters<typeof openapiTs>[0];
    return `${COMMENT_HEADER}${astToString(await openapiTs(document, { defaultNonNullable: false }))}`;
  } finally {
    await cloud.stop();
    await rm(dataDir, { recursive: true });
  }
}

if (import.meta.main) process.stdout.write(await formatCloudTypes());
