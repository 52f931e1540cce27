import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { contentOf } from '../../shared/cloud-client/create-cloud-client.ts';
import type { components } from '../../shared/cloud-client/paths.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { publicKeySchema } from '../../shared/lease/public-key.ts';
import { type Asking, asking, cloudOf } from '../audit/asking.ts';
import type { LogExport } from '../audit/log-export.ts';
import { lossInWords } from '../audit/loss-in-words.ts';
import { readJson, requireJson } from '../audit/read-json.ts';
import type { SeenLog, VerifiedLog } from '../audit/verify-log.ts';
import { verifyCopyCommand } from './audit/verify-copy.ts';

interface Verifying extends Asking {
  readonly file?: string;
  readonly key?: string;
  readonly orgKeys?: string;
  readonly state?: string;
}

/** `securegate audit`: whether what a control plane says was done is what was done. */
export function auditCommand(): Command {
  const command = new Command('audit')
    .description('the log of what was done: export it, and check that nobody has rewritten it')
    .addHelpText(
      'after',
      `
Each time that it is checked, the head of the log is kept; the next time the log has to go on from there.

Examples:
  securegate audit key --cloud https://cloud.example --token - > audit-key.json    # compare it with whoever runs the control plane
  securegate audit verify acme --key audit-key.json --cloud https://cloud.example --token token.txt
  securegate audit export acme --out log.json --config cloud.json --account usr_...
  securegate audit verify acme --file log.json --key audit-key.json                # on a machine without a network
  securegate audit verify-copy --key audit-key.json --endpoint https://s3.eu-central-1.amazonaws.com --region eu-central-1 \\
    --bucket acme-audit --access-key reader.json --cloud https://cloud.example --token token.txt`,
    );
  command.addCommand(
    asking('key')
      .description('print the key by which the control plane signs its log')
      .action(async (options: Asking) => {
        const { key } = await contentOf((await cloudOf(options)).GET('/v1/audit/heads/latest'));
        process.stdout.write(`${JSON.stringify(key)}\n`);
      }),
  );
  command.addCommand(
    asking('export')
      .description('write all that is needed to check the log into a file')
      .argument('<org>', 'org whose entries are in it')
      .requiredOption('--out <file>', 'where to write it (JSON)')
      .action(exportLog),
  );
  command.addCommand(
    asking('verify')
      .description('check the log: that it was signed, only grew since the last time, and holds every entry of the org')
      .argument('<org>', 'org whose entries are checked')
      .option('--file <file>', 'what `securegate audit export` wrote, in place of asking the control plane')
      .option('--key <file>', 'the key by which the log has to be signed (JSON); without it the one that was seen first')
      .option('--org-keys <fingerprint>', "after the loss of an HSM: of the org's keys, as `securegate org-keys pin` and boxes tell it")
      .option('--state <file>', 'where the head is kept that was seen last')
      .action(verify),
  );
  command.addCommand(verifyCopyCommand());
  command.addCommand(
    asking('copy')
      .description('tell how far the log is copied to where nobody can delete it')
      .action(async (options: Asking) => {
        const { copy } = await contentOf((await cloudOf(options)).GET('/v1/audit/copy'));
        process.stdout.write(`${options.json ? JSON.stringify({ copy }) : copyInWords(copy)}\n`);
      }),
  );
  command.addCommand(
    asking('declare-fork')
      .description('after a restore from a backup: declare that the log has lost what came after the backup')
      .requiredOption('--backup-at <time>', 'when the backup was made, in ISO 8601: 2027-03-01T08:00:00Z')
      .action(async (options: Asking & { readonly backupAt: string }) => {
        const fork = await contentOf((await cloudOf(options)).POST('/v1/audit/forks', { body: { backupAt: options.backupAt } }));
        const told = `The log goes on as ${fork.log}, after ${fork.size} entries of ${fork.of}. Boxes that had seen more will say so.`;
        process.stdout.write(`${options.json ? JSON.stringify(fork) : told}\n`);
      }),
  );
  return command;
}

async function exportLog(org: string, options: Asking & { readonly out: string }): Promise<void> {
  const { fetchLog } = await import('../audit/fetch-log.ts');
  const log = await fetchLog(await cloudOf(options), org);
  await writeFile(options.out, `${JSON.stringify(log)}\n`);
  const told = { file: options.out, leaves: log.leaves.length, entries: log.entries.length };
  const words = `${options.out} holds ${told.entries} entries of ${org}, and the hashes of all ${told.leaves} of the log.`;
  process.stdout.write(`${options.json ? JSON.stringify(told) : words}\n`);
}

async function verify(org: string, options: Verifying): Promise<void> {
  const { logExportSchema } = await import('../audit/log-export.ts');
  const { seenLogSchema, verifyLog } = await import('../audit/verify-log.ts');
  const { fetchLog } = await import('../audit/fetch-log.ts');
  const state = options.state ?? join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local/share'), 'securegate-audit', `${org}.json`);
  const seen = await readJson(state, seenLogSchema);
  const log: LogExport | undefined =
    options.file === undefined ? await fetchLog(await cloudOf(options), org) : await readJson(options.file, logExportSchema);
  if (log === undefined || log.org !== org || (seen && seen.org !== org)) {
    throw new SecureGateError('file_unreadable', 'There is no such file, or it is about another org');
  }
  const given = options.key === undefined ? undefined : await requireJson(options.key, publicKeySchema);
  const key = given ?? seen?.key ?? log.key;
  if (given === undefined && seen === undefined) {
    process.stderr.write(`No key was given: the one that came with the log is believed from now on. Compare it: ${JSON.stringify(key)}\n`);
  }
  const verified = await verifyLog(log, key, seen, options.orgKeys);
  await mkdir(dirname(state), { recursive: true, mode: 0o700 });
  await writeFile(state, `${JSON.stringify(verified.seen)}\n`, { mode: 0o600 });
  process.stdout.write(`${options.json ? JSON.stringify(toldOf(verified)) : inWords(org, verified, seen)}\n`);
}

function toldOf({ head, forks, losses, witnesses, seen: { entries } }: VerifiedLog) {
  return { verified: true, ...head, entries, witnesses, forks, losses };
}

function inWords(org: string, { head, forks, losses, witnesses, seen }: VerifiedLog, before: SeenLog | undefined): string {
  const at = new Date(head.at).toISOString();
  const since = before === undefined ? 'It is the first head that was seen here.' : 'It goes on from the head that was seen last.';
  const lost = forks.map(({ size, at: when }) => `Begun anew after ${size} entries at ${new Date(when).toISOString()}: ask why.`);
  const told = `The log of ${head.size} entries holds all ${seen.entries} of ${org} at ${at}. ${since}`;
  return [told, `Boxes of ${org} that watch it and have seen no other: ${witnesses.length}.`, ...lost, ...losses.map(lossInWords)].join(
    '\n',
  );
}

function copyInWords(copy: components['schemas']['AuditCopy']['copy']): string {
  if (copy === null) return 'The log is copied nowhere: the configuration names no bucket (audit.s3).';
  const { bucket, size, lag, copiedAt, problem } = copy;
  const since = copiedAt === null ? 'It has never been all there.' : `It was all there at ${copiedAt}.`;
  const told = `${size} entries of the log are in ${bucket}, ${lag} are not yet. ${since}`;
  return problem === null ? told : `${told}\nWhat keeps it from going on: ${problem}`;
}
