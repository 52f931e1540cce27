import { Command } from 'commander';
import { contentOf } from '../../shared/cloud-client/create-cloud-client.ts';
import type { components } from '../../shared/cloud-client/paths.ts';
import { list } from '../cloud/asking.ts';
import { formatTable } from '../cloud/format-table.ts';
import { type CloudOptions, openCloud } from '../cloud/open-cloud.ts';

type Shred = components['schemas']['Shred'];

/** `securegate cloud shreds`: how a tenant goes for ever. */
export function shredsCommand(asking: (name: string) => Command): Command {
  const command = new Command('shreds').description('shreds of tenants: asked for, approved by two people, done on every box');
  command.addCommand(
    asking('create')
      .description('ask for the shred of a tenant; nothing happens before it is approved')
      .argument('<org>')
      .argument('<tenant>')
      .option('--grace-minutes <number>', 'how long it can be cancelled once it is approved', Number, 60)
      .action(async (org: string, tenant: string, { graceMinutes, ...options }: CloudOptions & { graceMinutes: number }) => {
        const call = (await openCloud(options)).POST('/v1/orgs/{org}/shreds', {
          params: { path: { org } },
          body: { tenant, graceMinutes },
        });
        show(options, await contentOf(call));
      }),
  );
  command.addCommand(
    asking('list')
      .description('list them')
      .argument('<org>')
      .action((org: string, options: CloudOptions) =>
        list(options, ['id', 'tenant', 'state', 'requestedAt'], (cloud, query) =>
          cloud.GET('/v1/orgs/{org}/shreds', { params: { path: { org }, query } }),
        ),
      ),
  );
  const one = (name: string): Command => asking(name).argument('<org>').argument('<shred>');
  command.addCommand(
    one('approve')
      .description('agree to a shred')
      .action(async (org: string, id: string, options: CloudOptions) => {
        const call = (await openCloud(options)).POST('/v1/orgs/{org}/shreds/{id}/approve', { params: { path: { org, id } } });
        show(options, await contentOf(call));
      }),
  );
  command.addCommand(
    one('cancel')
      .description('take it back, as long as its destruction has not begun')
      .action(async (org: string, id: string, options: CloudOptions) => {
        const call = (await openCloud(options)).POST('/v1/orgs/{org}/shreds/{id}/cancel', { params: { path: { org, id } } });
        show(options, await contentOf(call));
      }),
  );
  command.addCommand(
    one('show')
      .description('tell how far it is, on every box')
      .action(async (org: string, id: string, options: CloudOptions) => {
        const call = (await openCloud(options)).GET('/v1/orgs/{org}/shreds/{id}', { params: { path: { org, id } } });
        show(options, await contentOf(call));
      }),
  );
  command.addCommand(
    one('receipt')
      .description('print the signed receipt of it, for securegate receipt verify')
      .action(async (org: string, id: string, options: CloudOptions) => {
        const call = (await openCloud(options)).GET('/v1/orgs/{org}/shreds/{id}/receipt', { params: { path: { org, id } } });
        process.stdout.write(`${JSON.stringify(await contentOf(call))}\n`);
      }),
  );
  return command;
}

function show({ json }: CloudOptions, shred: Shred): void {
  process.stdout.write(`${json === true ? JSON.stringify(shred) : format(shred)}\n`);
}

function format({ id, tenant, state, reason, approvals, approvalsNeeded, destroysFrom, destroyedAt, boxes }: Shred): string {
  const lines = [
    `Shred ${id} of ${tenant}: ${state}${reason === null ? '' : ` (${reason})`}`,
    `Approved by:      ${approvals.length} of ${approvalsNeeded}`,
    ...(destroysFrom === null || destroyedAt !== null ? [] : [`Cancel before:    ${destroysFrom}`]),
    ...(destroyedAt === null ? [] : [`Keys destroyed:   ${destroyedAt}`]),
  ];
  if (boxes.length === 0) return lines.join('\n');
  const rows = boxes.map((box) => [box.device, box.state, box.unrecoverableFrom ?? '', box.because ?? '', box.reason ?? '']);
  return [...lines, formatTable(['box', 'state', 'unrecoverable from', 'because', 'not done'], rows)].join('\n');
}
