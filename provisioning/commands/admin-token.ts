import { Command } from 'commander';

/** `securegate admin-token`: the credential of whoever runs the box. */
export function adminTokenCommand(): Command {
  return new Command('admin-token').description('the token that opens console and API of this box').addCommand(resetCommand());
}

function resetCommand(): Command {
  return new Command('reset')
    .description('make a new admin token in the place of a lost one, on a box whose daemon is stopped')
    .requiredOption('--config <file>', 'configuration of the box (JSON)')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
The token goes into a file in the key folder that its owner alone may read, and is printed nowhere. The earlier token, all
browser sessions and open login links end; API keys of programs stay.`,
    )
    .action(async ({ config, json }: { config: string; json?: true }) => {
      const [{ loadConfig }, { resetAdminToken }] = await Promise.all([
        import('../../edge/config/load-config.ts'),
        import('../../edge/reset-admin-token.ts'),
      ]);
      const result = await resetAdminToken(loadConfig(config));
      const { tokenFile, sessions, loginLinks } = result;
      const text = `The new admin token is in ${tokenFile}.
The earlier one opens nothing any more; with it ended ${sessions} session(s) and ${loginLinks} login link(s). API keys stay.`;
      process.stdout.write(`${json ? JSON.stringify(result) : text}\n`);
    });
}
