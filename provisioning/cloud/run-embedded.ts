import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type EmbeddedPorts, openEmbeddedFolder } from './embedded-folder.ts';
import { KmsProcess } from './kms-process.ts';

const NEXT = (url: string, config: string, env: string): string => `
The control plane answers at ${url} (routes: ${url}/openapi.json).
Everything it keeps lies in ${dirname(config)}.

  securegate cloud orgs create acme --name 'Acme Halls' --jurisdiction CH --config ${config}
  securegate cloud enrolment-tokens create acme --config ${config} --account usr_...      # for: securegate enrol
  securegate cloud token --config ${config}      # a token for ten minutes, for curl
  ${env}securegate kms-trust list --config ${join(dirname(config), 'kms-trust.json')}      # boxes that may have keys

Ctrl-C ends it.
`;

/**
 * Runs a control plane and its KMS on this machine.
 * @returns the exit code
 * @throws {SecureGateError} what kept one of them from starting
 */
export async function runEmbedded(folder: string, ports: EmbeddedPorts): Promise<number> {
  const { cloudConfig, kmsConfig, kmsEnv } = openEmbeddedFolder(folder, ports);
  const { socket } = JSON.parse(readFileSync(kmsConfig, 'utf8')) as { socket: string };
  const { KmsClient } = await import('../../cloud/kms/client.ts');
  const { runCloud } = await import('../../cloud/main.ts');
  const environment = Object.entries(kmsEnv)
    .map(([name, value]) => `${name}=${value} `)
    .join('');
  const client = new KmsClient(socket);
  const kms = new KmsProcess(kmsConfig, kmsEnv);
  try {
    await kms.start(async () => {
      try {
        return (await client.call('status', {})).ready;
      } catch {
        return false;
      }
    });
    client.close();
    return await runCloud(cloudConfig, (url) => process.stdout.write(NEXT(url, cloudConfig, environment)));
  } finally {
    client.close();
    await kms.stop();
  }
}
