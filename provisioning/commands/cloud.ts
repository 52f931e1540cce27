import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import type { CloudOptions } from '../cloud/ask-cloud.ts';
import { formatTable } from '../cloud/format-table.ts';

type Item = Readonly<Record<string, unknown>>;

/** `securegate cloud`: runs the control plane, and works with it from its own machine. */
export function cloudCommand(): Command {
  const command = new Command('cloud').description('run the control plane, and work with it on its own machine').addHelpText(
    'after',
    `
Needs a KMS beside it (securegate kms). \`up\` starts both with what they need, to try them out or on one machine.

Examples:
  securegate cloud up
  securegate cloud orgs create acme --name 'Acme Halls' --jurisdiction CH --config cloud.json
  curl -H "Authorization: Bearer $(securegate cloud token --config cloud.json)" http://127.0.0.1:8760/v1/orgs`,
  );
  const dataHome = process.env.XDG_DATA_HOME ?? join(homedir(), '.local/share');
  command.addCommand(
    new Command('up')
      .description('run control plane and KMS together, on loopback')
      .option('--data <folder>', 'where they keep everything', join(dataHome, 'securegate-cloud'))
      .option('--port <number>', 'port of the API, for a folder that is made now', Number, 8760)
      .option('--fleet-port <number>', 'port for boxes that enrol, for a folder that is made now', Number, 8761)
      .option('--json', 'print an error that ends it as JSON as well')
      .action(async ({ data, port, fleetPort }: Record<'port' | 'fleetPort', number> & { data: string }) => {
        const { runEmbedded } = await import('../cloud/run-embedded.ts');
        process.exitCode = await runEmbedded(data, { port, fleetPort });
      }),
  );
  command.addCommand(
    configured('run')
      .description('run the control plane; with DATABASE_URL on a Postgres')
      .action(async ({ config }: { config: string }) => {
        const { runCloud } = await import('../../cloud/main.ts');
        process.exitCode = await runCloud(config);
      }),
  );
  command.addCommand(
    asking('token')
      .description('print an access token for ten minutes; the audit log tells it')
      .action(async ({ config, account }: CloudOptions) => {
        const { signToken } = await import('../../cloud/sign-token.ts');
        process.stdout.write(`${(await signToken(config, account)).token}\n`);
      }),
  );
  command.addCommand(
    asking('lease-keys')
      .description('print the keys by which the KMS signs leases, for the `kmsKeys` of a box')
      .action(async (options: CloudOptions) => {
        const { askCloud } = await import('../cloud/ask-cloud.ts');
        process.stdout.write(`${JSON.stringify(await askCloud(options, 'GET', '/v1/lease-keys'))}\n`);
      }),
  );
  command.addCommand(orgsCommand());
  command.addCommand(tenantsCommand());
  command.addCommand(usersCommand());
  command.addCommand(devicesCommand());
  command.addCommand(enrolmentTokensCommand());
  return command;
}

function orgsCommand(): Command {
  const command = new Command('orgs').description('orgs of this deployment');
  command.addCommand(
    asking('list')
      .description('list them')
      .action((options: CloudOptions) => list(options, '/v1/orgs', ['id', 'name', 'plan', 'jurisdiction'])),
  );
  command.addCommand(
    asking('create')
      .description('add one')
      .argument('<id>')
      .requiredOption('--name <name>')
      .requiredOption('--jurisdiction <country>', 'country whose law counts, like CH')
      .action((id: string, { name, jurisdiction, ...options }: CloudOptions & Record<'name' | 'jurisdiction', string>) =>
        make(options, '/v1/orgs', { id, name, jurisdiction }),
      ),
  );
  command.addCommand(
    asking('first-admin')
      .description('name the first admin of an org, who names all others')
      .argument('<org>')
      .requiredOption('--name <name>')
      .requiredOption('--email <address>')
      .action((org: string, { name, email, ...options }: CloudOptions & Record<'name' | 'email', string>) =>
        make(options, `/v1/orgs/${org}/first-admin`, { name, email }),
      ),
  );
  return command;
}

function tenantsCommand(): Command {
  const command = new Command('tenants').description('tenants of an org');
  command.addCommand(
    asking('list')
      .description('list them')
      .argument('<org>')
      .action((org: string, options: CloudOptions) => list(options, `/v1/orgs/${org}/tenants`, ['id', 'name', 'state'])),
  );
  command.addCommand(
    asking('create')
      .description('add one, as an admin of the org; its key is made in the HSM')
      .argument('<org>')
      .argument('<id>')
      .requiredOption('--name <name>')
      .option('--hostname <hostname...>', 'under which it is reached', [])
      .action((org: string, id: string, { name, hostname, ...options }: CloudOptions & { name: string; hostname: string[] }) =>
        make(options, `/v1/orgs/${org}/tenants`, { id, name, hostnames: hostname }),
      ),
  );
  return command;
}

function usersCommand(): Command {
  const command = new Command('users').description('people of an org');
  command.addCommand(
    asking('list')
      .description('list them')
      .argument('<org>')
      .action((org: string, options: CloudOptions) => list(options, `/v1/orgs/${org}/users`, ['id', 'name', 'email', 'active'])),
  );
  command.addCommand(
    asking('create')
      .description('add one, as an admin of the org')
      .argument('<org>')
      .requiredOption('--name <name>')
      .requiredOption('--email <address>')
      .option('--role <role...>', 'roles in the whole org', [])
      .action((org: string, { name, email, role, ...options }: CloudOptions & { name: string; email: string; role: string[] }) =>
        make(options, `/v1/orgs/${org}/users`, { name, email, roles: role.map((one) => ({ role: one })) }),
      ),
  );
  return command;
}

function devicesCommand(): Command {
  const command = new Command('devices').description('boxes of an org');
  command.addCommand(
    asking('list')
      .description('list them')
      .argument('<org>')
      .action((org: string, options: CloudOptions) =>
        list(options, `/v1/orgs/${org}/devices`, ['id', 'name', 'state', 'fingerprint', 'certificateEnds']),
      ),
  );
  for (const [name, description] of [
    ['deny', 'take everything from a box, for ever'],
    ['release', 'let a box go; it may enrol anew'],
  ] as const) {
    command.addCommand(
      asking(name)
        .description(description)
        .argument('<org>')
        .argument('<device>')
        .action((org: string, device: string, options: CloudOptions) => make(options, `/v1/orgs/${org}/devices/${device}/${name}`)),
    );
  }
  return command;
}

function enrolmentTokensCommand(): Command {
  const command = new Command('enrolment-tokens').description('tokens by which boxes enrol');
  command.addCommand(
    asking('list')
      .description('list them; the tokens themselves are kept nowhere')
      .argument('<org>')
      .action((org: string, options: CloudOptions) =>
        list(options, `/v1/orgs/${org}/enrolment-tokens`, ['id', 'name', 'state', 'device', 'expiresAt']),
      ),
  );
  command.addCommand(
    asking('create')
      .description('make one, as an admin or technician of the org; it is printed now and never again')
      .argument('<org>')
      .option('--name <name>', 'name of the box that it is for')
      .option('--hours <number>', 'how long it counts', Number, 24)
      .action(async (org: string, { name, hours, ...options }: CloudOptions & { name?: string; hours: number }) => {
        const { askCloud } = await import('../cloud/ask-cloud.ts');
        const fields = { hours, ...(name === undefined ? {} : { name }) };
        const made = (await askCloud(options, 'POST', `/v1/orgs/${org}/enrolment-tokens`, fields)) as Item;
        print(options, made, () => String(made.token));
      }),
  );
  return command;
}

function configured(name: string): Command {
  return new Command(name)
    .requiredOption('--config <file>', 'configuration of the control plane (JSON)')
    .option('--json', 'print the answer, and an error, as JSON');
}

function asking(name: string): Command {
  return configured(name).option('--account <id>', 'whose rights are used; default: the operator on this machine');
}

async function list(options: CloudOptions, path: string, fields: readonly string[]): Promise<void> {
  const { askCloud } = await import('../cloud/ask-cloud.ts');
  const items: Item[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = (await askCloud(options, 'GET', `${path}?limit=200&cursor=${encodeURIComponent(cursor)}`)) as {
      items: Item[];
      next: string | null;
    };
    items.push(...page.items);
    cursor = page.next;
  }
  print(options, items, () =>
    formatTable(
      fields,
      items.map((item) => fields.map((field) => String(item[field] ?? ''))),
    ),
  );
}

async function make(options: CloudOptions, path: string, body?: object): Promise<void> {
  const { askCloud } = await import('../cloud/ask-cloud.ts');
  const made = (await askCloud(options, 'POST', path, body)) as Item;
  print(options, made, () => String(made.id));
}

function print({ json }: CloudOptions, content: unknown, format: () => string): void {
  process.stdout.write(`${json === true ? JSON.stringify(content) : format()}\n`);
}
