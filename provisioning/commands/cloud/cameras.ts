import { Command } from 'commander';
import { asking, list, make, print } from '../../cloud/asking.ts';
import { type CloudOptions, openCloud } from '../../cloud/open-cloud.ts';

interface Fields {
  readonly slug?: string;
  readonly url?: string;
  readonly title?: string;
  readonly fps?: number;
  readonly credential?: string;
}

/** `securegate cloud cameras`: the cameras that boxes should have. */
export function camerasCommand(): Command {
  const command = new Command('cameras').description('cameras that boxes should have for a tenant');
  command.addCommand(
    asking('list')
      .description('list them')
      .argument('<org>')
      .argument('<tenant>')
      .action((org: string, tenant: string, options: CloudOptions) =>
        list(options, ['id', 'slug', 'device', 'url', 'fps', 'credential'], (cloud, query) =>
          cloud.GET('/v1/orgs/{org}/tenants/{tenant}/cameras', { params: { path: { org, tenant }, query } }),
        ),
      ),
  );
  command.addCommand(
    withFields(asking('create'))
      .description('give a box one; it follows as soon as it is connected')
      .argument('<org>')
      .argument('<tenant>')
      .argument('<device>')
      .argument('<slug>')
      .requiredOption('--url <address>', ADDRESS)
      .action((org: string, tenant: string, device: string, slug: string, options: CloudOptions & Fields & { url: string }) =>
        make(options, (cloud) => {
          const body = { ...fieldsOf(options), device, slug, url: options.url };
          return cloud.POST('/v1/orgs/{org}/tenants/{tenant}/cameras', { params: { path: { org, tenant } }, body });
        }),
      ),
  );
  const one = (name: string): Command => asking(name).argument('<org>').argument('<tenant>').argument('<camera>');
  command.addCommand(
    withFields(one('change'))
      .description('change what is named')
      .option('--slug <slug>', 'its name in sightings')
      .option('--url <address>', ADDRESS)
      .action((org: string, tenant: string, id: string, options: CloudOptions & Fields) =>
        make(options, (cloud) =>
          cloud.PATCH('/v1/orgs/{org}/tenants/{tenant}/cameras/{id}', { params: { path: { org, tenant, id } }, body: fieldsOf(options) }),
        ),
      ),
  );
  command.addCommand(
    one('remove')
      .description('take it from its box')
      .action(async (org: string, tenant: string, id: string, options: CloudOptions) => {
        const cloud = await openCloud(options);
        await cloud.DELETE('/v1/orgs/{org}/tenants/{tenant}/cameras/{id}', { params: { path: { org, tenant, id } } });
        print(options, { id }, () => id);
      }),
  );
  return command;
}

const ADDRESS = 'where the box reaches it, like rtsp://192.168.10.21/stream1, without user and password';

function withFields(command: Command): Command {
  return command
    .option('--title <text>', 'what people call it')
    .option('--fps <number>', 'pictures a second that are analysed', Number)
    .option('--credential <name>', 'under which user and password lie on the box (securegate camera-credential set)');
}

/** Those that are named. */
function fieldsOf({ slug, url, title, fps, credential }: Fields): Fields {
  const all = { slug, url, title, fps, credential };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
