import { Command } from 'commander';
import { asking, list } from '../../cloud/asking.ts';
import type { CloudOptions } from '../../cloud/open-cloud.ts';

interface About {
  readonly device?: string;
  readonly command?: string;
}

/** `securegate cloud receipts`: what boxes have signed of commands. */
export function receiptsCommand(): Command {
  return new Command('receipts').description('what boxes have signed of commands').addCommand(
    asking('list')
      .description('list them, in the order in which they came; with --json as they were signed')
      .argument('<org>')
      .option('--device <id>', 'of this box alone')
      .option('--command <id>', 'of this command alone')
      .action((org: string, { device, command, ...options }: CloudOptions & About) =>
        list(options, ['id', 'command', 'device', 'state', 'reason', 'at'], (cloud, query) => {
          const about = { ...(device === undefined ? {} : { device }), ...(command === undefined ? {} : { command }) };
          return cloud.GET('/v1/orgs/{org}/receipts', { params: { path: { org }, query: { ...query, ...about } } });
        }),
      ),
  );
}
