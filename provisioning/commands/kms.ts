import { Command } from 'commander';

export function kmsCommand(): Command {
  return new Command('kms')
    .description('run the key management: wraps, hands out and destroys the keys of tenants')
    .requiredOption('--config <file>', 'configuration of the KMS (JSON)')
    .option('--json', 'print an error that ends it as JSON as well')
    .addHelpText(
      'after',
      `
Answers on a Unix socket, with TLS, or both; the log goes to stderr. Stop with Ctrl-C or SIGTERM.
Every field of the configuration: cloud/kms/config/REFERENCE.md; how to set it up: provisioning/runbooks/run-the-kms.md`,
    )
    .action(async ({ config }: { config: string }) => {
      const { runKms } = await import('../../cloud/kms/main.ts');
      process.exitCode = await runKms(config);
    });
}
