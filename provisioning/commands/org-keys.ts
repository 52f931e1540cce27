import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { contentOf } from '../../shared/cloud-client/create-cloud-client.ts';
import type { ErrorCode } from '../../shared/errors/codes.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { adminsFingerprint } from '../../shared/lease/admins-fingerprint.ts';
import { ENFORCEMENTS } from '../../shared/lease/lease-token.ts';
import { type StickRequest, stickRequestSchema } from '../../shared/lease/stick.ts';
import { type CloudOptions, openCloud } from '../cloud/open-cloud.ts';

const DAY_S = 86_400;
/** A box asks for the epoch that it is in and for the next one; the KMS may have let go of the one, and not begun the other. */
const NOT_THIS_EPOCH: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['epoch_not_found', 'epoch_replaced', 'cell_gone']);

interface Files {
  readonly admin: string[];
  readonly recovery: string[];
  readonly signedBy?: string[];
  readonly adminQuorum: string;
  readonly recoveryQuorum: string;
}

/** `securegate org-keys`: what the admins of an org do with their own keys, which no machine of the platform ever sees. */
export function orgKeysCommand(): Command {
  const command = new Command('org-keys').description("an org's own keys: who may have its tenants' keys is signed by them").addHelpText(
    'after',
    `
The private keys stay with their owners; the control plane carries what they signed to the KMS, which believes nobody else.

Examples:
  securegate org-keys new ada.pem
  securegate org-keys pin acme --admin ada.pem --recovery safe-1.pem safe-2.pem --config cloud.json --account usr_...
  securegate org-keys assign acme main-hall --key ada.pem --device box.json --config cloud.json --account usr_...`,
  );
  command.addCommand(
    new Command('new')
      .description('make a key in a new file; prints its thumbprint')
      .argument('<file>')
      .option('--json', 'print an error as JSON')
      .action(async (file: string) => {
        const { makeKeyFile } = await import('../org-keys/key-file.ts');
        process.stdout.write(`${(await makeKeyFile(file)).thumbprint}\n`);
      }),
  );
  command.addCommand(
    asking('pin')
      .description('pin the keys that count for an org, or change them; prints the version of the set, and its fingerprint')
      .argument('<org>')
      .requiredOption('--admin <file...>', 'keys of admins: each alone signs assignments')
      .requiredOption('--recovery <file...>', 'keys that lie in a safe')
      .option('--signed-by <file...>', 'keys of the present set that approve the change; the first set is signed by its own admins')
      .option('--admin-quorum <number>', 'admins who together change the set', '1')
      .option('--recovery-quorum <number>', 'recovery keys that together change the set', '1')
      .action((org: string, options: CloudOptions & Files) => pin(org, options)),
  );
  command.addCommand(
    asking('assign')
      .description('let a box have the key of a tenant')
      .argument('<org>')
      .argument('<tenant>')
      .requiredOption('--key <file>', "an admin's private key")
      .requiredOption(
        '--device <file-or-id>',
        'what `securegate device-keys show --json` tells of the box, or the id of one that is enrolled',
      )
      .option('--fingerprint <text>', 'of an enrolled box, as `securegate status` shows it there')
      .option('--days <number>', 'until the assignment ends', '365')
      .option('--lease-hours <number>', 'how long the box works without a word from the KMS', '24')
      .option('--enforcement <level>', `how it holds the key between leases: ${ENFORCEMENTS.join(', ')}`, 'memory')
      .action((org: string, tenant: string, options: CloudOptions & Assigning) => assign(org, tenant, options)),
  );
  command.addCommand(
    asking('approve')
      .description('have what came on a stick answered, once; the answer goes back on the stick')
      .argument('<org>')
      .argument('<request-file>', 'as `securegate lease request` wrote it')
      .requiredOption('--key <file>', "an admin's private key")
      .requiredOption('--out <file>', 'for `securegate lease import`')
      .action((org: string, file: string, options: CloudOptions & { key: string; out: string }) => approve(org, file, options)),
  );
  command.addCommand(
    new Command('sign-recovery')
      .description('after the loss of an HSM: agree that boxes hand their keys over to another one')
      .argument('<file>', 'as `securegate cloud recovery draft` wrote it; the signature is added to it')
      .requiredOption('--key <file>', 'a recovery key')
      .option('--fingerprint <fingerprint>', 'as `securegate kms-trust check-recovery` shows it at the HSM')
      .option('--json', 'print an error as JSON')
      .action(async (file: string, { key, fingerprint }: { readonly key: string; readonly fingerprint?: string }) => {
        const { readKeyFile } = await import('../org-keys/key-file.ts');
        const { signRecovery } = await import('../org-keys/sign-recovery.ts');
        const count = await signRecovery(file, await readKeyFile(key), fingerprint);
        process.stdout.write(`signatures: ${count}\n`);
      }),
  );
  return command;
}

interface Assigning {
  readonly key: string;
  readonly device: string;
  readonly fingerprint?: string;
  readonly days: string;
  readonly leaseHours: string;
  readonly enforcement: string;
}

async function pin(
  org: string,
  { admin, recovery, signedBy = [], adminQuorum, recoveryQuorum, ...cloud }: CloudOptions & Files,
): Promise<void> {
  const { readKeyFile } = await import('../org-keys/key-file.ts');
  const { signAdminSet } = await import('../org-keys/sign-admin-set.ts');
  const [admins, safes, signers] = await Promise.all([admin, recovery, signedBy].map((files) => Promise.all(files.map(readKeyFile))));
  const set = {
    org,
    version: (await presentVersion(org, cloud)) + 1,
    admins: { keys: (admins ?? []).map(({ publicKey }) => publicKey), quorum: Number(adminQuorum) },
    recovery: { keys: (safes ?? []).map(({ publicKey }) => publicKey), quorum: Number(recoveryQuorum) },
  };
  const signed = await signAdminSet(set, signers?.length ? signers : (admins ?? []));
  await (await openCloud(cloud)).PUT('/v1/orgs/{org}/admin-keys', { params: { path: { org } }, body: signed });
  process.stdout.write(`version ${set.version}\n${adminsFingerprint(set)}\n`);
}

/** Of the set that counts now; 0 where none is pinned. */
async function presentVersion(org: string, cloud: CloudOptions): Promise<number> {
  try {
    const client = await openCloud(cloud);
    return (await contentOf(client.GET('/v1/orgs/{org}/admin-keys', { params: { path: { org } } }))).version;
  } catch (error) {
    if (error instanceof SecureGateError && error.code === 'admins_missing') return 0;
    throw error;
  }
}

async function assign(
  org: string,
  tenant: string,
  { key, device, fingerprint, days, leaseHours, enforcement, ...cloud }: CloudOptions & Assigning,
): Promise<void> {
  const { readKeyFile } = await import('../org-keys/key-file.ts');
  const { signForKms } = await import('../org-keys/sign-for-kms.ts');
  const { findDevice } = await import('../org-keys/find-device.ts');
  const { ASSIGNMENT_TYPE } = await import('../../shared/lease/assignment.ts');
  const { id, wrap, jkt } = await findDevice(cloud, org, device, fingerprint);
  const lease = { seconds: Math.round(Number(leaseHours) * 3600), enforcement };
  const claims = { org, tenant, sub: id, wrap, cnf: { jkt }, lease };
  const assignment = await signForKms(await readKeyFile(key), ASSIGNMENT_TYPE, claims, Number(days) * DAY_S, Date.now());
  const client = await openCloud(cloud);
  const made = await contentOf(client.POST('/v1/orgs/{org}/assignments', { params: { path: { org } }, body: { assignment } }));
  process.stdout.write(`${made.id}\n`);
}

async function approve(org: string, file: string, { key, out, ...cloud }: CloudOptions & { key: string; out: string }): Promise<void> {
  const { readKeyFile } = await import('../org-keys/key-file.ts');
  const { signForKms } = await import('../org-keys/sign-for-kms.ts');
  const { OFFLINE_APPROVAL_TYPE } = await import('../../shared/lease/offline-approval.ts');
  const { requests, moved } = readRequest(file);
  const signer = await readKeyFile(key);
  const client = await openCloud(cloud);
  const params = { path: { org } };
  const answers: unknown[] = [];
  let refusal: SecureGateError | undefined;
  for (const request of requests) {
    const claims = { org, request: createHash('sha256').update(request).digest('base64url') };
    const approval = await signForKms(signer, OFFLINE_APPROVAL_TYPE, claims, DAY_S, Date.now());
    const body = { request, approval, ...(moved === null ? {} : { moved }) };
    try {
      answers.push(await contentOf(client.POST('/v1/orgs/{org}/offline-leases', { params, body })));
    } catch (error) {
      if (!(error instanceof SecureGateError && NOT_THIS_EPOCH.has(error.code))) throw error;
      refusal ??= error;
    }
  }
  if (answers.length === 0 && refusal) throw refusal;
  writeFileSync(out, `${JSON.stringify({ answers })}\n`, { mode: 0o600 });
}

function readRequest(file: string): StickRequest {
  try {
    return stickRequestSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new SecureGateError('file_unreadable', `${file} is not what \`securegate lease request\` wrote`, { cause, details: { file } });
  }
}

function asking(name: string): Command {
  return new Command(name)
    .requiredOption('--config <file>', 'configuration of the control plane (JSON)')
    .option('--account <id>', 'whose rights are used')
    .option('--json', 'print an error as JSON');
}
