import { Argument, Command } from 'commander';
import { PINNED_USES, type PinnedUse } from '../../shared/lease/key-change.ts';

/** `securegate kms-key`: the keys by which the KMS signs. */
export function kmsKeyCommand(): Command {
  const command = new Command('kms-key').description('the keys by which the KMS signs, and which boxes have pinned').addHelpText(
    'after',
    `
Example:
  securegate kms-key change audit --socket /run/securegate-kms/kms.sock`,
  );
  command.addCommand(
    new Command('change')
      .description('make the next key of a use; the one before signs that it counts, and signs nothing any more')
      .addArgument(new Argument('<use>', 'what it signs').choices(PINNED_USES))
      .requiredOption('--socket <path>', 'Unix socket of the KMS')
      .option('--json', 'print an error as JSON')
      .action(async (use: PinnedUse, { socket }: { socket: string }) => {
        const { KmsClient } = await import('../../cloud/kms/client.ts');
        const client = new KmsClient(socket);
        try {
          process.stdout.write(`${JSON.stringify(await client.call('changeKey', { use }))}\n`);
        } finally {
          client.close();
        }
      }),
  );
  return command;
}
