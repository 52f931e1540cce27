import { Argument, Command } from 'commander';
import { contentOf } from '../../../shared/cloud-client/create-cloud-client.ts';
import type { components } from '../../../shared/cloud-client/paths.ts';
import { KINDS_TO_GIVE } from '../../../shared/fleet/command.ts';
import { asking, list, make, print } from '../../cloud/asking.ts';
import { type CloudOptions, openCloud } from '../../cloud/open-cloud.ts';

type OrderToGive = components['schemas']['OrderToGive'];

/** `securegate cloud commands`: what boxes are told to do. */
export function commandsCommand(): Command {
  const command = new Command('commands').description('what boxes are told to do');
  command.addCommand(
    asking('create')
      .description('tell a box to do something; a box that is away has a day to come for it')
      .argument('<org>')
      .argument('<device>')
      .addArgument(new Argument('<kind>', 'what to do').choices(KINDS_TO_GIVE))
      .option('--tenant <id>', 'the tenant that it is about')
      .action((org: string, device: string, kind: OrderToGive['kind'], { tenant, ...options }: CloudOptions & { tenant?: string }) =>
        make(options, (cloud) => {
          // Whether this kind is about a tenant, the control plane says.
          const order = { kind, body: tenant === undefined ? {} : { tenant } } as OrderToGive;
          return cloud.POST('/v1/orgs/{org}/commands', { params: { path: { org } }, body: { device, order } });
        }),
      ),
  );
  command.addCommand(
    asking('list')
      .description('list them, in the order in which they were given')
      .argument('<org>')
      .option('--device <id>', 'of this box alone')
      .action((org: string, { device, ...options }: CloudOptions & { device?: string }) =>
        list(options, ['id', 'device', 'kind', 'state', 'reason', 'createdAt'], async (cloud, query) => {
          const about = { ...query, ...(device === undefined ? {} : { device }) };
          const { items, next } = await contentOf(cloud.GET('/v1/orgs/{org}/commands', { params: { path: { org }, query: about } }));
          return { data: { items: items.map((item) => ({ ...item, kind: item.order.kind })), next } };
        }),
      ),
  );
  const one = (name: string): Command => asking(name).argument('<org>').argument('<command>');
  command.addCommand(
    one('show')
      .description('tell what came of one')
      .action(async (org: string, id: string, options: CloudOptions) => {
        const cloud = await openCloud(options);
        const found = await contentOf(cloud.GET('/v1/orgs/{org}/commands/{id}', { params: { path: { org, id } } }));
        const { order, state, reason, device, changedAt } = found;
        const why = reason === null ? '' : ` (${reason})`;
        print(options, found, () => `${order.kind} for ${device}: ${state}${why} since ${changedAt}`);
      }),
  );
  command.addCommand(
    one('cancel')
      .description('let one be sent no more that no box has begun')
      .action((org: string, id: string, options: CloudOptions) =>
        make(options, (cloud) => cloud.POST('/v1/orgs/{org}/commands/{id}/cancel', { params: { path: { org, id } } })),
      ),
  );
  return command;
}
