import { readFile, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { z } from 'zod';
import type { LeaseStatus } from '../../edge/api/ports.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { leaseClaimsSchema } from '../../shared/lease/lease-token.ts';
import { type SignedRecovery, signedRecoverySchema } from '../../shared/lease/recovery.ts';
import { type StickRequest, stickAnswerSchema } from '../../shared/lease/stick.ts';
import { formatLease } from '../terminal/format-lease.ts';
import { askingBox, type BoxOptions, runningBox } from '../terminal/running-box.ts';

interface Options extends BoxOptions {
  readonly json?: true;
}

/** `securegate lease`: under which leases the tenants of a running box are open, and leases on a stick. */
export function leaseCommand(): Command {
  const command = new Command('lease').description('leases of tenants whose keys come from a KMS, on a running box').addHelpText(
    'after',
    `
Where the box reaches its KMS it fetches leases by itself. Without a network:
  securegate lease request opera-house --out request.json --config box.json   # take it to an admin of the org
  securegate lease import answer.json --config box.json                       # what the KMS made of it`,
  );
  command.addCommand(common('show').description('how long each tenant is open, and how its key is kept').action(show));
  command.addCommand(
    common('request')
      .description('make a request for a lease that travels on a stick; it waits for a week, or until the next one')
      .argument('<tenant>', 'tenant that needs a lease')
      .requiredOption('--out <file>', 'where to write it (JSON); it holds no secret')
      .action(request),
  );
  command.addCommand(
    common('import')
      .description('give the box the answer to its request')
      .argument('<file>', 'what the KMS answered (JSON); only the box that asked can use it, once')
      .action(importAnswer),
  );
  command.addCommand(
    common('hand-over')
      .description('after the loss of an HSM: believe another one, and hand the keys over to it that this box holds')
      .argument('<file>', 'recovery that enough recovery keys of the org have signed')
      .requiredOption('--out <file>', 'for `securegate cloud recovery take-over`; it opens in that HSM alone')
      .action(handOver),
  );
  return command;
}

function common(name: string): Command {
  return askingBox(name).option('--json', 'print the result as JSON');
}

async function show({ json, ...options }: Options): Promise<void> {
  const { items } = (await (await runningBox(options)).ask('GET', '/v1/leases')) as { items: LeaseStatus[] };
  const text = items.length === 0 ? 'No tenant of this box is under a lease.' : items.map(formatLease).join('\n');
  process.stdout.write(`${json ? JSON.stringify(items) : text}\n`);
}

async function request(tenant: string, { json, out, ...options }: Options & { readonly out: string }): Promise<void> {
  const box = await runningBox(options);
  const made = (await box.ask('POST', `/v1/tenants/${encodeURIComponent(tenant)}/lease/requests`)) as StickRequest;
  try {
    await writeFile(out, `${JSON.stringify(made)}\n`);
  } catch (cause) {
    throw new SecureGateError('storage_failed', `Cannot write ${out}`, { cause, details: { file: out } });
  }
  process.stdout.write(`${json ? JSON.stringify({ tenant, file: out, moved: made.moved !== null }) : requested(out, made)}\n`);
}

function requested(file: string, { moved }: StickRequest): string {
  const told = `The request is in ${file}. It waits for its answer for a week.`;
  return moved === null ? told : `${told} With it goes the word that this tenant needs no earlier key.`;
}

async function importAnswer(file: string, { json, ...options }: Options): Promise<void> {
  const { answer, tenant } = await readAnswer(file);
  const box = await runningBox(options);
  const lease = (await box.ask('PUT', `/v1/tenants/${tenant}/lease`, answer)) as LeaseStatus;
  const text =
    answer.answers.length > 1 ? `${formatLease(lease)}\n  has moved to another epoch: the next request tells the KMS` : formatLease(lease);
  process.stdout.write(`${json ? JSON.stringify(lease) : text}\n`);
}

async function handOver(file: string, { json, out, ...options }: Options & { readonly out: string }): Promise<void> {
  const recovery = await readRecovery(file);
  const [{ loadConfig }, { LinkFolder }, { followRecovery }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/link/enrolment/link-folder.ts'),
    import('../../edge/link/enrolment/follow-recovery.ts'),
  ]);
  const { keyDir, link } = loadConfig(options.config);
  const { tenants } = await followRecovery(new LinkFolder(keyDir, link?.credential), recovery, Date.now());
  const box = await runningBox(options);
  const { items } = (await box.ask('GET', '/v1/leases')) as { items: LeaseStatus[] };
  const held = items.filter(
    ({ tenant, epoch, state }) => state === 'ready' && tenants.some((one) => one.tenant === tenant && one.epoch === epoch),
  );
  const handOvers: string[] = [];
  for (const { tenant } of held) {
    handOvers.push(((await box.ask('POST', `/v1/tenants/${tenant}/lease/hand-overs`, recovery)) as { token: string }).token);
  }
  const names = held.map(({ tenant }) => tenant);
  if (names.length === 0) throw new SecureGateError('lease_missing', 'This box holds none of the keys that are lost');
  await writeFile(out, `${JSON.stringify({ recovery, handOvers })}\n`);
  process.stdout.write(
    `${json ? JSON.stringify({ tenants: names, file: out }) : `${out} holds the keys of ${names.join(', ')} for the HSM.`}\n`,
  );
}

async function readRecovery(file: string): Promise<SignedRecovery> {
  try {
    return signedRecoverySchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new SecureGateError('file_unreadable', `${file} holds no recovery that was signed`, { cause, details: { file } });
  }
}

/** Whose lease it is says the lease itself; whether that is true, the box finds out. */
async function readAnswer(file: string): Promise<{ answer: z.input<typeof stickAnswerSchema>; tenant: string }> {
  try {
    const answer = z.encode(stickAnswerSchema, stickAnswerSchema.parse(JSON.parse(await readFile(file, 'utf8'))));
    const [, claims = ''] = answer.answers[0]?.lease.split('.') ?? [];
    const { tenant } = leaseClaimsSchema.parse(JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')));
    return { answer, tenant };
  } catch (cause) {
    throw new SecureGateError('file_unreadable', `${file} holds no answer of a KMS`, { cause, details: { file } });
  }
}
