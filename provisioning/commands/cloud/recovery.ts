import { readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import type { z } from 'zod';
import { contentOf } from '../../../shared/cloud-client/create-cloud-client.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { handedOverSchema } from '../../../shared/lease/hand-over.ts';
import { signedRecoverySchema } from '../../../shared/lease/recovery.ts';
import { parseRecovery } from '../../../shared/lease/verify-recovery.ts';
import { asking, print } from '../../cloud/asking.ts';
import { formatTable } from '../../cloud/format-table.ts';
import { type CloudOptions, openCloud } from '../../cloud/open-cloud.ts';

/** `securegate cloud recovery`: after the loss of an HSM, what boxes still hold comes back to another one. */
export function recoveryCommand(): Command {
  const command = new Command('recovery').description('after the loss of an HSM: bring the keys back that boxes still hold').addHelpText(
    'after',
    `
In this order; the runbook provisioning/runbooks/hsm-loss.md tells the rest:
  securegate cloud recovery replace-authority --config cloud.json
  securegate cloud recovery draft acme --out recovery.json --config cloud.json --account usr_...
  securegate org-keys sign-recovery recovery.json --key safe-1.pem --fingerprint ...   # as many as the quorum
  securegate cloud recovery send acme recovery.json --config cloud.json --account usr_...
and for a box without a network:
  securegate lease hand-over recovery.json --out keys.json --config box.json           # on that box
  securegate cloud recovery take-over acme keys.json --config cloud.json --account usr_...
in the end:
  securegate cloud recovery end acme --config cloud.json --account usr_...`,
  );
  command.addCommand(
    asking('lost')
      .description('list the keys of an org that the HSM lacks')
      .argument('<org>')
      .action(async (org: string, options: CloudOptions) => {
        const { items } = await contentOf((await openCloud(options)).GET('/v1/orgs/{org}/lost-keys', { params: { path: { org } } }));
        const rows = items.map(({ tenant, epoch, isKnown }) => [tenant, String(epoch), isKnown ? 'yes' : 'no']);
        print(options, items, () => formatTable(['tenant', 'epoch', 'can be handed over'], rows));
      }),
  );
  command.addCommand(
    asking('replace-authority')
      .description('make an authority of boxes in the place of the one whose key is lost')
      .action(async (options: CloudOptions) => {
        const made = await contentOf((await openCloud(options)).POST('/v1/authorities/replacements'));
        print(options, made, () => made.fingerprint);
      }),
  );
  command.addCommand(
    asking('draft')
      .description('write what the recovery keys of the org have to sign')
      .argument('<org>')
      .requiredOption('--out <file>', 'where to write it (JSON)')
      .action(async (org: string, { out, ...options }: CloudOptions & { out: string }) => {
        const draft = await contentOf((await openCloud(options)).POST('/v1/orgs/{org}/recoveries', { params: { path: { org } } }));
        writeFileSync(out, `${JSON.stringify(draft, null, 2)}\n`);
        print(
          options,
          draft,
          () => `${out} names ${draft.tenants.length} tenants, and holds until ${new Date(draft.exp * 1000).toISOString()}`,
        );
      }),
  );
  command.addCommand(
    asking('send')
      .description('send what enough recovery keys have signed to the boxes of the org: they hand over what it names')
      .argument('<org>')
      .argument('<file>', 'as `securegate org-keys sign-recovery` left it')
      .action(async (org: string, file: string, options: CloudOptions) => {
        const signed = readFile(file, signedRecoverySchema, '`securegate org-keys sign-recovery` left');
        const { id, tenants } = parseRecovery(signed.payload);
        const params = { path: { org, id } };
        await (await openCloud(options)).PUT('/v1/orgs/{org}/recoveries/{id}/signatures', { params, body: signed });
        print(
          options,
          { id },
          () => `The boxes of ${org} are told. \`securegate cloud recovery lost\` lists which of the ${tenants.length} keys are not back.`,
        );
      }),
  );
  command.addCommand(
    asking('take-over')
      .description('give the HSM what a box handed over')
      .argument('<org>')
      .argument('<file>', 'as `securegate lease hand-over` wrote it')
      .action(takeOver),
  );
  command.addCommand(
    asking('end')
      .description('have nothing taken over any more: the key of the transport is destroyed')
      .argument('<org>')
      .action(async (org: string, options: CloudOptions) => {
        await (await openCloud(options)).DELETE('/v1/orgs/{org}/recoveries', { params: { path: { org } } });
        print(options, {}, () => 'Nothing is taken over any more.');
      }),
  );
  return command;
}

/** A key that another box has brought back meanwhile is in nobody's way. */
async function takeOver(org: string, file: string, options: CloudOptions): Promise<void> {
  const { recovery, handOvers } = readFile(file, handedOverSchema, '`securegate lease hand-over` wrote');
  const cloud = await openCloud(options);
  const told: { tenant: string; state: 'taken over' | 'there already' }[] = [];
  for (const handOver of handOvers) {
    try {
      const call = cloud.POST('/v1/orgs/{org}/recoveries/hand-overs', { params: { path: { org } }, body: { recovery, handOver } });
      told.push({ tenant: (await contentOf(call)).tenant, state: 'taken over' });
    } catch (error) {
      if (!(error instanceof SecureGateError && error.code === 'conflict')) throw error;
      told.push({ tenant: String(error.details.tenant), state: 'there already' });
    }
  }
  print(options, told, () => told.map(({ tenant, state }) => `${tenant}: ${state}`).join('\n'));
}

/** @param origin what makes such files */
function readFile<Schema extends z.ZodType>(file: string, schema: Schema, origin: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new SecureGateError('file_unreadable', `${file} is not what ${origin}`, { cause, details: { file } });
  }
}
