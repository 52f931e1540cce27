import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import type { DeviceKeysDescription } from '../../edge/vault/keys/device/describe-device-keys.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

interface Options {
  readonly config: string;
  readonly pem?: string;
  readonly json?: true;
}

/** `securegate device-keys`: the keys by which a KMS knows this box. */
export function deviceKeysCommand(): Command {
  return new Command('device-keys').description('the keys by which a KMS knows this box').addCommand(showCommand());
}

function showCommand(): Command {
  return new Command('show')
    .description('show what an admin needs to assign this box, on a box whose daemon is stopped')
    .requiredOption('--config <file>', 'configuration of the box (JSON)')
    .option('--pem <file>', 'write the wrap key to this file, for: securegate kms-trust add')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Makes the keys where there are none: in the key folder, or in the TPM when the configuration says so. Only their public halves
are shown.`,
    )
    .action(show);
}

async function show({ config: file, pem, json }: Options): Promise<void> {
  const [{ loadConfig }, { openAppliance }, { describeDeviceKeys }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/appliance/open-appliance.ts'),
    import('../../edge/vault/keys/device/describe-device-keys.ts'),
  ]);
  const { dataDir, keyDir, lease } = loadConfig(file);
  const appliance = openAppliance(dataDir);
  try {
    const place = { id: appliance.box, folder: join(keyDir, 'device'), dataDir };
    const keys = await describeDeviceKeys(place, lease?.tpm);
    if (pem !== undefined) await writePem(pem, keys.pem);
    process.stdout.write(json ? `${JSON.stringify(keys)}\n` : textOf(keys, pem));
  } finally {
    appliance.close();
  }
}

async function writePem(file: string, pem: string): Promise<void> {
  try {
    await writeFile(file, pem);
  } catch (cause) {
    throw new SecureGateError('storage_failed', 'The wrap key cannot be written', { cause, details: { file } });
  }
}

function textOf({ id, keptIn, wrap, jkt, pem }: DeviceKeysDescription, file: string | undefined): string {
  return `Box:          ${id} (sub)
Wrap key:     ${wrap} (wrap)
Signing key:  ${jkt} (cnf.jkt)
Kept in:      ${keptIn === 'tpm' ? 'the TPM, which they never leave' : 'files: who copies the whole disk has them'}
${file === undefined ? `\n${pem}` : `The wrap key is in ${file}.\n`}`;
}
