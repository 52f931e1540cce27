import { Command } from 'commander';
import { contentOf } from '../../shared/cloud-client/create-cloud-client.ts';
import type { components } from '../../shared/cloud-client/paths.ts';
import { list, print } from '../cloud/asking.ts';
import { formatTable } from '../cloud/format-table.ts';
import { type CloudOptions, openCloud } from '../cloud/open-cloud.ts';

type Erasure = components['schemas']['CustomerErasure'];

/** `securegate cloud erasures`: how somebody goes from every box of a tenant. */
export function erasuresCommand(asking: (name: string) => Command): Command {
  const command = new Command('erasures').description('erasures of customers, on every box of their tenant');
  command.addCommand(
    asking('create')
      .description('erase somebody; each box knows a person by an id of its own: give them all')
      .argument('<org>')
      .argument('<tenant>')
      .argument('<customer...>', 'ids, like cus_...')
      .action(async (org: string, tenant: string, customers: string[], options: CloudOptions) => {
        const call = (await openCloud(options)).POST('/v1/orgs/{org}/tenants/{tenant}/erasures', {
          params: { path: { org, tenant } },
          body: { customers },
        });
        show(options, await contentOf(call));
      }),
  );
  command.addCommand(
    asking('list')
      .description('list them')
      .argument('<org>')
      .action((org: string, options: CloudOptions) =>
        list(options, ['id', 'tenant', 'requestedAt', 'settledAt'], (cloud, query) =>
          cloud.GET('/v1/orgs/{org}/erasures', { params: { path: { org }, query } }),
        ),
      ),
  );
  const one = (name: string): Command => asking(name).argument('<org>').argument('<erasure>');
  command.addCommand(
    one('show')
      .description('tell how far it is, on every box')
      .action(async (org: string, id: string, options: CloudOptions) => {
        const call = (await openCloud(options)).GET('/v1/orgs/{org}/erasures/{id}', { params: { path: { org, id } } });
        show(options, await contentOf(call));
      }),
  );
  command.addCommand(
    one('receipt')
      .description('print the signed receipt of it, for securegate receipt verify')
      .action(async (org: string, id: string, options: CloudOptions) => {
        const call = (await openCloud(options)).GET('/v1/orgs/{org}/erasures/{id}/receipt', { params: { path: { org, id } } });
        process.stdout.write(`${JSON.stringify(await contentOf(call))}\n`);
      }),
  );
  return command;
}

function show(options: CloudOptions, erasure: Erasure): void {
  print(options, erasure, () => format(erasure));
}

function format({ id, tenant, customers, settledAt, boxes }: Erasure): string {
  const rows = boxes.map(({ device, state, removed, reason }) => [device, state, String(removed?.customers ?? ''), reason ?? '']);
  return [
    `Erasure ${id} in ${tenant}, of ${customers.length} id(s): ${settledAt === null ? 'under way' : `done ${settledAt}`}`,
    formatTable(['box', 'state', 'ids it knew', 'not done'], rows),
  ].join('\n');
}
