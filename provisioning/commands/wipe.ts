import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Removed } from '../../shared/fleet/ack.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { tokenFileOption } from '../terminal/running-box.ts';

interface Options {
  readonly config: string;
  readonly tenant?: string;
  readonly all?: true;
  readonly yes?: true;
  readonly tokenFile?: string;
  readonly json?: true;
}

/** `securegate wipe`: tenants go from this box for ever. */
export function wipeCommand(): Command {
  return new Command('wipe')
    .description('remove a tenant, or all, from this box for ever; with its daemon running or stopped, and without the cloud')
    .requiredOption('--config <file>', 'configuration of the box (JSON)')
    .option('--tenant <id>', 'the tenant')
    .option('--all', 'every tenant of the box')
    .option('--yes', 'for scripts: do not ask for the name of the tenant')
    .addOption(tokenFileOption())
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
There is no way back: a tenant that was wiped never comes to this box again. Its keys are overwritten; flash memory may keep what was
overwritten, and copies that somebody made are beyond this box. The key of a tenant under a lease ends with the lease, wherever a copy is.
Other boxes are not told: to shred a tenant everywhere, use securegate cloud shreds.`,
    )
    .action(run);
}

async function run({ config: file, tenant, all, yes, tokenFile, json }: Options): Promise<void> {
  if ((tenant === undefined) === (all === undefined)) throw new SecureGateError('usage', 'Name a tenant by --tenant, or say --all');
  const [{ loadConfig }, { openWipeableBox }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/wipe-tenants.ts'),
  ]);
  const box = await openWipeableBox(loadConfig(file), { tokenFile, logger: createLogger('wipe', { level: 'warn' }) });
  try {
    const tenants = tenant === undefined ? await box.tenants() : [tenant];
    if (!yes) for (const id of tenants) await confirm(id);
    const wiped: ({ readonly tenant: string } & Removed)[] = [];
    for (const id of tenants) wiped.push({ tenant: id, ...(await box.wipe(id)) });
    const lines = wiped.map(
      ({ tenant: id, keyFiles, dataFiles }) => `${id}: ${keyFiles} files of keys and ${dataFiles} others are removed.`,
    );
    process.stdout.write(`${json ? JSON.stringify(wiped) : lines.join('\n') || 'This box has no tenant.'}\n`);
  } finally {
    box.close();
  }
}

/** The name is typed: a yes is said too easily. */
async function confirm(tenant: string): Promise<void> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  const typed = await reader.question(`Everything of ${tenant} is removed from this box for ever. Type its name: `);
  reader.close();
  if (typed.trim() !== tenant) throw new SecureGateError('usage', 'That is not its name: nothing was removed');
}
