import { Command } from 'commander';
import type { TrustOrder } from '../../cloud/kms/trust-main.ts';

export function kmsTrustCommand(): Command {
  const command = new Command('kms-trust').description('security officer: which device keys may receive tenant keys').addHelpText(
    'after',
    `
Only this process reads the SO PIN, and never the user PIN. Prints the fingerprints, one a line.

Example:
  securegate kms-trust add box.pem --config kms-trust.json`,
  );
  const add = (name: string, description: string, orderOf: (argument: string) => TrustOrder): void => {
    command
      .command(name)
      .description(description)
      .requiredOption('--config <file>', 'configuration of the security officer (JSON)')
      .option('--json', 'print an error as JSON')
      .action(async (...given: unknown[]) => {
        const [argument, options] = given.length > 2 ? [String(given[0]), given[1]] : ['', given[0]];
        const { runTrust } = await import('../../cloud/kms/trust-main.ts');
        const fingerprints = await runTrust((options as { config: string }).config, orderOf(argument));
        process.stdout.write(fingerprints.map((line) => `${line}\n`).join(''));
      });
  };
  add('add <pem-file>', 'trust a device key', (pemFile) => ({ do: 'add', pemFile }));
  add('remove <fingerprint>', 'trust a device key no more', (fingerprint) => ({ do: 'remove', fingerprint }));
  add('list', 'list the trusted keys', () => ({ do: 'list' }));
  return command;
}
