import { hostname } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { askingBox, type BoxOptions, runningBox } from '../terminal/running-box.ts';

interface Options extends BoxOptions {
  readonly cloud: string;
  readonly token: string;
  readonly name: string;
  readonly json?: true;
}

/** `securegate enrol`: a box gets a certificate of its own from the control plane of its org. */
export function enrolCommand(): Command {
  return askingBox('enrol')
    .description('enrol this box with the control plane; a daemon that runs goes on with it by itself')
    .requiredOption('--cloud <url>', 'where the control plane serves boxes, like https://cloud.example:8761')
    .requiredOption('--token <token>', 'the enrolment token; - reads it from stdin, where no other user of this machine sees it')
    .option('--name <name>', 'name of the box, where the token gives it none', hostname())
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
The token comes from an admin or technician of the org: securegate cloud enrolment-tokens create. It names the authority that this box
believes from now on. Cut off on the way, run it again with the same token.`,
    )
    .action(run);
}

async function run({ cloud, token, name, json, ...box }: Options): Promise<void> {
  const [{ loadConfig }, { signDeviceStatement }, { LinkFolder }, { enrol }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/vault/keys/device/sign-device-statement.ts'),
    import('../../edge/link/enrolment/link-folder.ts'),
    import('../../edge/link/enrolment/enrol.ts'),
  ]);
  const { dataDir, keyDir, lease, link } = loadConfig(box.config);
  const place = { id: await boxId(box, dataDir), folder: join(keyDir, 'device'), dataDir };
  const enrolment = await enrol({
    folder: new LinkFolder(keyDir, link?.credential),
    cloud,
    token: token === '-' ? (await text(process.stdin)).trim() : token,
    state: (csr) => signDeviceStatement(place, lease?.tpm, { name, csr }),
  });
  const { device, org, state, fingerprint } = enrolment;
  const told = `${device} is enrolled with ${org} (${state}).\nFingerprint of its keys: ${fingerprint}`;
  process.stdout.write(`${json ? JSON.stringify({ device, org, state, fingerprint }) : told}\n`);
}

/** The id of this box: out of its data folder, or from the daemon that holds that. */
async function boxId(options: BoxOptions, dataDir: string): Promise<string> {
  const { openAppliance } = await import('../../edge/appliance/open-appliance.ts');
  try {
    const appliance = openAppliance(dataDir);
    appliance.close();
    return appliance.box;
  } catch (error) {
    if (SecureGateError.from(error).code !== 'data_folder_in_use') throw error;
  }
  const box = await runningBox(options);
  return ((await box.ask('GET', '/v1/system')) as { box: string }).box;
}
