import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { publicKeySchema } from '../../../shared/lease/public-key.ts';
import { type Asking, asking, cloudOf } from '../../audit/asking.ts';
import { lossInWords } from '../../audit/loss-in-words.ts';
import { readJson, requireJson } from '../../audit/read-json.ts';
import type { VerifiedCopy } from '../../audit/verify-copy.ts';

interface Verifying extends Asking {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly prefix?: string;
  readonly virtualHost?: true;
  readonly accessKey: string;
  readonly key: string;
  readonly state?: string;
  readonly export?: string;
  readonly orgKeys?: string;
}

/** `securegate audit verify-copy`: whether the copy of the log where nobody can delete it is whole, and what the control plane still tells. */
export function verifyCopyCommand(): Command {
  return asking('verify-copy')
    .description('check the copy of the log in a bucket, and the control plane against it where --config or --cloud is given')
    .requiredOption('--endpoint <url>', 'where the object store is reached, like https://s3.eu-central-1.amazonaws.com')
    .requiredOption('--region <region>', 'region of the bucket')
    .requiredOption('--bucket <name>', 'the bucket')
    .option('--prefix <prefix>', 'beginning of the names in it, if not securegate-log/')
    .option('--virtual-host', 'the bucket stands before the name of the host')
    .requiredOption('--access-key <file>', 'file (mode 0600) with {"accessKeyId":…,"secretAccessKey":…}; a right to read is enough')
    .requiredOption('--key <file>', 'the key by which the log has to be signed (JSON)')
    .option('--state <file>', 'where the head is kept that was seen last')
    .option('--export <file>', 'after the loss of an HSM: what `securegate audit export` wrote of an org')
    .option('--org-keys <fingerprint>', "with it: of that org's keys, as `securegate org-keys pin` and boxes tell it")
    .action(verify);
}

async function verify(options: Verifying): Promise<void> {
  const { Bucket } = await import('../../../shared/s3/bucket.ts');
  const { bucketSchema } = await import('../../../shared/s3/bucket-config.ts');
  const { compareOnline } = await import('../../audit/compare-online.ts');
  const { logExportSchema } = await import('../../audit/log-export.ts');
  const { seenCopySchema, verifyCopy } = await import('../../audit/verify-copy.ts');
  const { endpoint, region, bucket: name, prefix, virtualHost, accessKey } = options;
  const place = { endpoint, region, bucket: name, pathStyle: virtualHost !== true, credentials: { file: resolve(accessKey) } };
  const config = bucketSchema.safeParse(prefix === undefined ? place : { ...place, prefix });
  if (!config.success) throw new SecureGateError('usage', config.error.issues.map(({ path, message }) => `${path}: ${message}`).join('; '));
  const key = await requireJson(options.key, publicKeySchema);
  const state =
    options.state ?? join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local/share'), 'securegate-audit', `copy-${name}.json`);
  const seen = await readJson(state, seenCopySchema);
  if (options.orgKeys !== undefined && options.export === undefined) throw new SecureGateError('usage', '--org-keys needs --export');
  const log = options.export === undefined ? undefined : await requireJson(options.export, logExportSchema);
  const bucket = await Bucket.open(config.data, new AbortController().signal);
  try {
    const copy = await verifyCopy(bucket, key, { seen: seen?.head, org: log && { log, orgKeys: options.orgKeys } });
    const isOnline = options.config !== undefined || options.cloud !== undefined;
    const online = isOnline ? await compareOnline(await cloudOf(options), copy.token, copy.keys) : undefined;
    await mkdir(dirname(state), { recursive: true, mode: 0o700 });
    await writeFile(state, `${JSON.stringify({ version: 1, head: copy.token })}\n`, { mode: 0o600 });
    const told = {
      verified: true,
      ...copy.head,
      checked: copy.checked,
      forks: copy.forks,
      losses: copy.losses,
      lockedUntil: copy.lockedUntil,
      online: online ?? null,
    };
    process.stdout.write(`${options.json ? JSON.stringify(told) : inWords(copy, online?.size)}\n`);
  } finally {
    bucket.close();
  }
}

function inWords({ head, forks, losses, checked, lockedUntil }: VerifiedCopy, online: number | undefined): string {
  const at = new Date(head.at).toISOString();
  const lost = forks.map(({ size, at: when }) => `Begun anew after ${size} entries at ${new Date(when).toISOString()}: ask why.`);
  const still =
    online === undefined
      ? 'What the control plane tells was not looked at (--cloud or --config).'
      : `The log that the control plane tells, of ${online} entries, goes on from it.`;
  return [
    `The copy holds the log of ${head.size} entries at ${at}; ${checked} heads were checked that had not been.`,
    `Nobody can remove any of it before ${lockedUntil.toISOString()}.`,
    still,
    ...lost,
    ...losses.map(lossInWords),
  ].join('\n');
}
