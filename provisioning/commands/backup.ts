import { resolve } from 'node:path';
import { Command } from 'commander';
import type { RebuiltTenant } from '../../edge/backup/rebuild-data-folder.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { ProgressBar } from '../terminal/progress-bar.ts';
import { tokenFileOption } from '../terminal/running-box.ts';

interface Options {
  readonly config: string;
  readonly json?: true;
}

interface KeyringOptions extends Options {
  readonly keyring?: string;
}

/** `securegate backup`: copies of a box's data, which open with the current keyrings alone. */
export function backupCommand(): Command {
  return new Command('backup')
    .description('back up the data of this box, and bring them back')
    .addCommand(createCommand())
    .addCommand(verifyCommand())
    .addCommand(restoreCommand())
    .addHelpText(
      'after',
      `
A backup holds the data as they lie on the disk, encrypted. Keyrings are not in it: the box keeps their replica where keyringReplicaDir
of the configuration says. Keys (keyDir) are a third thing. An old backup with the current keyring does not bring back who was
erased since.`,
    );
}

function createCommand(): Command {
  return new Command('create')
    .description('copy the data of all tenants into a new folder, while the box runs or not')
    .argument('<folder>', 'is made, and appears when it is whole')
    .requiredOption('--config <file>', 'configuration of the box (JSON)')
    .addOption(tokenFileOption())
    .option('--json', 'print the manifest as JSON')
    .action(async (folder: string, { config, tokenFile, json }: Options & { tokenFile?: string }) => {
      const [{ loadConfig }, { backUp }] = await Promise.all([import('../../edge/config/load-config.ts'), import('../../edge/back-up.ts')]);
      const manifest = await withProgress(json, (onProgress, logger) =>
        backUp(loadConfig(config), resolve(folder), { tokenFile, logger, onProgress }),
      );
      const bytes = manifest.tenants.reduce((sum, { data }) => sum + data.bytes, 0);
      const text = `Backed up ${manifest.tenants.length} tenant(s), ${(bytes / 1e6).toFixed(1)} MB, in ${resolve(folder)}.`;
      process.stdout.write(`${json ? JSON.stringify(manifest) : text}\n`);
    });
}

function verifyCommand(): Command {
  return new Command('verify')
    .description('rehearse a restore: every sum, every database, every record; also on another machine that has the keys')
    .argument('<folder>', 'the backup')
    .requiredOption('--config <file>', 'configuration of the box (JSON); the rehearsal takes place beside its dataDir')
    .option('--keyring <folder>', 'replica of the keyrings (default: keyringReplicaDir of the configuration)')
    .option('--json', 'print the result as JSON')
    .action(async (folder: string, { config, keyring, json }: KeyringOptions) => {
      const [{ loadConfig }, { verifyBackup }] = await Promise.all([
        import('../../edge/config/load-config.ts'),
        import('../../edge/verify-backup.ts'),
      ]);
      const tenants = await withProgress(json, (onProgress, logger) =>
        verifyBackup(loadConfig(config), resolve(folder), { keyring, logger, onProgress }),
      );
      printTenants(tenants, 'All of it opens.', json);
    });
}

function restoreCommand(): Command {
  return new Command('restore')
    .description('make the data folder of a backup and the current keyrings')
    .argument('<folder>', 'the backup')
    .requiredOption('--config <file>', 'configuration of the box (JSON); its dataDir has to be empty or not there')
    .option('--keyring <folder>', 'replica of the keyrings (default: keyringReplicaDir of the configuration)')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Credentials are in no backup, since an old one would bring back what was revoked: the next start writes a new admin token into the key
folder, and programs need new API keys.`,
    )
    .action(async (folder: string, { config, keyring, json }: KeyringOptions) => {
      const [{ loadConfig }, { restoreBackup }] = await Promise.all([
        import('../../edge/config/load-config.ts'),
        import('../../edge/restore-backup.ts'),
      ]);
      const tenants = await withProgress(json, (onProgress, logger) =>
        restoreBackup(loadConfig(config), resolve(folder), { keyring, logger, onProgress }),
      );
      printTenants(tenants, 'Restored. The next start writes a new admin token; programs need new API keys.', json);
    });
}

/** Progress goes to stderr, for people; so do the warnings of what works below. */
async function withProgress<Result>(
  json: true | undefined,
  work: (onProgress: (what: string, done: number, total: number) => void, logger: ReturnType<typeof createLogger>) => Promise<Result>,
): Promise<Result> {
  const bar = new ProgressBar(process.stderr);
  try {
    return await work(
      (what, done, total) => {
        if (!json) bar.update(what, done, total);
      },
      createLogger('backup', { level: 'warn' }),
    );
  } finally {
    bar.end();
  }
}

function printTenants(tenants: readonly RebuiltTenant[], last: string, json: true | undefined): void {
  const lines = tenants.map(
    ({ tenant, customers, opened, erased, keyless, damaged, keyringVersion }) =>
      `${tenant}: ${customers} customer(s), ${opened} record(s) open; ${erased} erased since the backup, ${keyless} without a key, ` +
      `${damaged} damaged; keyring ${keyringVersion}`,
  );
  process.stdout.write(json ? `${JSON.stringify({ tenants })}\n` : `${[...lines, last].join('\n')}\n`);
}
