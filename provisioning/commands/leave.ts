import { Command } from 'commander';

interface Options {
  readonly config: string;
  readonly json?: true;
}

/** `securegate leave`: the box is no part of its org any more. */
export function leaveCommand(): Command {
  return new Command('leave')
    .description('leave the org: the certificate of this box and its assignments end')
    .requiredOption('--config <file>', 'configuration of the box (JSON)')
    .option('--json', 'print an error as JSON')
    .addHelpText(
      'after',
      `
What the box recorded stays on its disk; tenants whose leases came over the link are closed. Where the control plane is out of reach, an admin of the org releases the box there.`,
    )
    .action(run);
}

async function run({ config: file }: Options): Promise<void> {
  const [{ loadConfig }, { LinkFolder }, { leave }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/link/enrolment/link-folder.ts'),
    import('../../edge/link/enrolment/leave.ts'),
  ]);
  const { keyDir, link } = loadConfig(file);
  await leave(new LinkFolder(keyDir, link?.credential));
  process.stdout.write('This box has left.\n');
}
