import { Command, InvalidArgumentError } from 'commander';
import type { TrustOrder } from '../../cloud/kms/trust-main.ts';

interface Options {
  readonly config: string;
}

/** `securegate kms-trust`: what the security officer of the HSM does. */
export function kmsTrustCommand(): Command {
  const command = new Command('kms-trust')
    .description('security officer: which device keys may receive tenant keys, and whether older records will do')
    .addHelpText(
      'after',
      `
Only this process reads the SO PIN, and never the user PIN. Prints the fingerprints, one a line.

Example:
  securegate kms-trust add box.pem --config kms-trust.json`,
    );
  command.addCommand(
    common('add')
      .description('trust a device key')
      .argument('<pem-file>', "the device's public RSA key")
      .action((pemFile: string, options: Options) => run(options, { do: 'add', pemFile })),
  );
  command.addCommand(
    common('remove')
      .description('trust a device key no more')
      .argument('<fingerprint>', 'as `add` and `list` print it, after `--` where it begins with a dash')
      .action((fingerprint: string, options: Options) => run(options, { do: 'remove', fingerprint })),
  );
  command.addCommand(
    common('list')
      .description('list the trusted keys')
      .action((options: Options) => run(options, { do: 'list' })),
  );
  command.addCommand(
    common('check-recovery')
      .description(
        'after the loss of an HSM: look whether a recovery names keys of this HSM, and show its fingerprint to those who are to sign it',
      )
      .argument('<file>', 'as `securegate cloud recovery draft` wrote it')
      .action(checkRecovery),
  );
  command.addCommand(
    new Command('init')
      .description('make a token in a free slot, with the PINs that stand in two files of mode 0600')
      .requiredOption('--library <file>', 'PKCS#11 library of the HSM')
      .requiredOption('--token <label>', 'label of the token')
      .requiredOption('--pin-file <file>', 'user PIN, for the KMS')
      .requiredOption('--so-pin-file <file>', 'PIN of the security officer')
      .option('--json', 'print an error as JSON')
      .action(async ({ library, token, pinFile, soPinFile }: Record<'library' | 'token' | 'pinFile' | 'soPinFile', string>) => {
        const { initialiseToken } = await import('../../cloud/kms/trust-main.ts');
        await initialiseToken(library, token, pinFile, soPinFile);
      }),
  );
  command.addCommand(
    common('accept-records')
      .description('have the KMS start with records that are older than its HSM says')
      .argument('<records>', 'as the error `records_rolled_back` names it', wholeNumber)
      .argument('<counted>', 'as the error names it', wholeNumber)
      .addHelpText('after', '\nWhat was denied, ended or used up after these records counts no more: deny and end it again.')
      .action((records: number, counted: number, options: Options) => run(options, { do: 'accept-records', records, counted })),
  );
  return command;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('not a whole number');
  return Number(text);
}

function common(name: string): Command {
  return new Command(name)
    .requiredOption('--config <file>', 'configuration of the security officer (JSON)')
    .option('--json', 'print an error as JSON');
}

async function checkRecovery(file: string, { config }: Options): Promise<void> {
  const [{ readRecovery, recoveryFingerprint }, { parseRecovery }, { runTrust }] = await Promise.all([
    import('../org-keys/read-recovery.ts'),
    import('../../shared/lease/verify-recovery.ts'),
    import('../../cloud/kms/trust-main.ts'),
  ]);
  const { payload } = readRecovery(file);
  await runTrust(config, { do: 'check-recovery', recovery: parseRecovery(payload) });
  process.stdout.write(`${recoveryFingerprint(payload)}\n`);
}

async function run({ config }: Options, order: TrustOrder): Promise<void> {
  const { runTrust } = await import('../../cloud/kms/trust-main.ts');
  for (const fingerprint of await runTrust(config, order)) process.stdout.write(`${fingerprint}\n`);
}
