import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { type EmbeddedPorts, openEmbeddedFolder } from './embedded-folder.ts';
import { KmsProcess } from './kms-process.ts';

const NEXT = (url: string, config: string, env: string): string => `
The control plane answers at ${url} (routes: ${url}/openapi.json).
Everything it keeps lies in ${dirname(config)}. Ctrl-C ends it.

From nothing to a token for the first box, in another terminal and the same folder:

  securegate() { ${env}npm run --silent securegate -- "$@"; }
  C=${config}
  securegate cloud orgs create acme --name 'Acme Halls' --jurisdiction CH --config "$C"
  ada=$(securegate cloud orgs first-admin acme --name Ada --email ada@acme.example --config "$C")
  securegate org-keys new ada.pem && securegate org-keys new safe.pem
  securegate org-keys pin acme --admin ada.pem --recovery safe.pem --config "$C" --account "$ada"
  securegate cloud tenants create acme main-hall --name 'Main hall' --config "$C" --account "$ada"
  securegate cloud enrolment-tokens create acme --config "$C" --account "$ada"

How the box goes on with it: provisioning/runbooks/enrol-a-box.md, where kms-trust.json is
${join(dirname(config), 'kms-trust.json')}

`;

/**
 * Runs a control plane and its KMS on this machine.
 * @returns the exit code
 * @throws {SecureGateError} `data_folder_in_use`, and what kept one of them from starting
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
  const answers = (): Promise<boolean> =>
    client.call('status', {}).then(
      ({ ready }) => ready,
      () => false,
    );
  try {
    if (await answers()) throw new SecureGateError('data_folder_in_use', 'A control plane runs with this folder', { details: { folder } });
    await kms.start(answers);
    client.close();
    return await runCloud(cloudConfig, (url) => process.stdout.write(NEXT(url, cloudConfig, environment)));
  } finally {
    client.close();
    await kms.stop();
  }
}
