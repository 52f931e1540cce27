import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { type CloudClient, contentOf } from '../../shared/cloud-client/create-cloud-client.ts';
import type { components } from '../../shared/cloud-client/paths.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { asking, configured, list, make, print } from '../cloud/asking.ts';
import type { EmbeddedPorts } from '../cloud/embedded-folder.ts';
import { formatDevice } from '../cloud/format-device.ts';
import { formatKeys } from '../cloud/format-keys.ts';
import { formatState } from '../cloud/format-state.ts';
import { type CloudOptions, openCloud } from '../cloud/open-cloud.ts';
import { camerasCommand } from './cloud/cameras.ts';
import { commandsCommand } from './cloud/commands.ts';
import { receiptsCommand } from './cloud/receipts.ts';
import { recoveryCommand } from './cloud/recovery.ts';
import { erasuresCommand } from './erasures.ts';
import { shredsCommand } from './shreds.ts';

interface BrokerOptions {
  readonly name: string[];
  readonly out: string;
  readonly controlPlane: string[];
}
type Role = components['schemas']['GivenRole']['role'];

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
      .option('--port <number>', 'port of the API from now on (default: 8760)', Number)
      .option('--fleet-port <number>', 'port for boxes that enrol, from now on (default: 8761)', Number)
      .option('--broker-port <number>', 'port for boxes that are enrolled, from now on (default: 8883)', Number)
      .option('--json', 'print an error that ends it as JSON as well')
      .action(async ({ data, ...ports }: EmbeddedPorts & { data: string }) => {
        const { runEmbedded } = await import('../cloud/run-embedded.ts');
        process.exitCode = await runEmbedded(data, ports);
      }),
  );
  command.addCommand(
    configured('run')
      .description('run the control plane; with DATABASE_URL on a Postgres')
      .addHelpText(
        'after',
        '\nEvery field of the configuration: cloud/config/REFERENCE.md; how to set it up: provisioning/runbooks/run-the-cloud.md',
      )
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
        process.stdout.write(`${JSON.stringify(await contentOf((await openCloud(options)).GET('/v1/lease-keys')))}\n`);
      }),
  );
  command.addCommand(
    configured('broker-certificate')
      .description('make or renew what a broker that stands apart needs: certificate, key, authorities, and the first rights at it')
      .requiredOption('--name <name...>', 'host names and addresses by which boxes reach it')
      .requiredOption('--out <folder>', 'where the files go')
      .option('--control-plane <name...>', 'names of the processes of the control plane at it', ['control-plane'])
      .action(async ({ config, name, out, controlPlane, json }: CloudOptions & BrokerOptions) => {
        const { certifyBroker } = await import('../../cloud/certify-broker.ts');
        const files = await certifyBroker(config, { names: name, folder: out, controlPlanes: controlPlane });
        const ends = new Date(files.notAfter).toISOString();
        process.stdout.write(`${json === true ? JSON.stringify({ ...files, notAfter: ends }) : `${files.certificate} until ${ends}`}\n`);
      }),
  );
  command.addCommand(orgsCommand());
  command.addCommand(tenantsCommand());
  command.addCommand(usersCommand());
  command.addCommand(keysCommand());
  command.addCommand(devicesCommand());
  command.addCommand(enrolmentTokensCommand());
  command.addCommand(camerasCommand());
  command.addCommand(commandsCommand());
  command.addCommand(receiptsCommand());
  command.addCommand(recoveryCommand());
  command.addCommand(shredsCommand(asking));
  command.addCommand(erasuresCommand(asking));
  return command;
}

function orgsCommand(): Command {
  const command = new Command('orgs').description('orgs of this deployment');
  command.addCommand(
    asking('list')
      .description('list them')
      .action((options: CloudOptions) =>
        list(options, ['id', 'name', 'plan', 'jurisdiction'], (cloud, query) => cloud.GET('/v1/orgs', { params: { query } })),
      ),
  );
  command.addCommand(
    asking('create')
      .description('add one')
      .argument('<id>', 'short and for ever: small letters, digits and dashes')
      .requiredOption('--name <name>', 'as people call it')
      .requiredOption('--jurisdiction <country>', 'country whose law counts, like CH')
      .action((id: string, { name, jurisdiction, ...options }: CloudOptions & Record<'name' | 'jurisdiction', string>) =>
        make(options, (cloud) => cloud.POST('/v1/orgs', { body: { id, name, jurisdiction } })),
      ),
  );
  command.addCommand(
    asking('first-admin')
      .description('name the first admin of an org, who names all others')
      .argument('<org>')
      .requiredOption('--name <name>', 'of the person')
      .requiredOption('--email <address>', 'of the person')
      .action((org: string, { name, email, ...options }: CloudOptions & Record<'name' | 'email', string>) =>
        make(options, (cloud) => cloud.POST('/v1/orgs/{org}/first-admin', { params: { path: { org } }, body: { name, email } })),
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
      .action((org: string, options: CloudOptions) =>
        list(options, ['id', 'name', 'state'], (cloud, query) => cloud.GET('/v1/orgs/{org}/tenants', { params: { path: { org }, query } })),
      ),
  );
  command.addCommand(
    asking('create')
      .description('add one, as an admin of the org; its key is made in the HSM')
      .argument('<org>')
      .argument('<id>', 'short and for ever: small letters, digits and dashes')
      .requiredOption('--name <name>', 'as people call it')
      .option('--hostname <hostname...>', 'under which it is reached')
      .action((org: string, id: string, { name, hostname = [], ...options }: CloudOptions & { name: string; hostname?: string[] }) =>
        make(options, (cloud) =>
          cloud.POST('/v1/orgs/{org}/tenants', { params: { path: { org } }, body: { id, name, hostnames: hostname } }),
        ),
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
      .action((org: string, options: CloudOptions) =>
        list(options, ['id', 'name', 'email', 'active'], (cloud, query) =>
          cloud.GET('/v1/orgs/{org}/users', { params: { path: { org }, query } }),
        ),
      ),
  );
  command.addCommand(
    asking('create')
      .description('add one, as an admin of the org')
      .argument('<org>')
      .requiredOption('--name <name>', 'of the person')
      .requiredOption('--email <address>', 'of the person')
      .option('--role <role...>', 'roles in the whole org: org:admin, operator, reviewer, technician, auditor, dpo')
      .action((org: string, { name, email, role = [], ...options }: CloudOptions & { name: string; email: string; role?: Role[] }) =>
        make(options, (cloud) => {
          const body = { name, email, roles: role.map((one) => ({ role: one })) };
          return cloud.POST('/v1/orgs/{org}/users', { params: { path: { org } }, body });
        }),
      ),
  );
  return command;
}

function keysCommand(): Command {
  const command = new Command('keys').description('keys of a tenant: their state, never they themselves');
  const about = (name: string): Command => asking(name).argument('<org>').argument('<tenant>');
  command.addCommand(
    about('show')
      .description('tell its epochs, where their keys are, and how far its boxes have moved')
      .action(async (org: string, tenant: string, options: CloudOptions) => {
        const keys = await readKeys(await openCloud(options), org, tenant);
        print(options, keys, () => formatKeys(keys));
      }),
  );
  command.addCommand(
    about('move')
      .description('move it to its next epoch, so that what was erased opens no more once its boxes have followed')
      .option('--epoch <number>', 'the epoch to move to; asked for again, it is made once (default: the next one)', Number)
      .action(async (org: string, tenant: string, { epoch, ...options }: CloudOptions & { epoch?: number }) => {
        const cloud = await openCloud(options);
        const next = epoch ?? ((await readKeys(cloud, org, tenant)).newest ?? 0) + 1;
        const call = cloud.POST('/v1/orgs/{org}/tenants/{tenant}/epoch-moves', {
          params: { path: { org, tenant } },
          body: { epoch: next },
        });
        const keys = await contentOf(call);
        print(options, keys, () => formatKeys(keys));
      }),
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
        list(options, ['id', 'name', 'state', 'fingerprint', 'certificateEnds'], (cloud, query) =>
          cloud.GET('/v1/orgs/{org}/devices', { params: { path: { org }, query } }),
        ),
      ),
  );
  const one = (name: string): Command => asking(name).argument('<org>').argument('<device>');
  command.addCommand(
    one('show')
      .description('tell who a box is, by its keys')
      .option('--pem <file>', 'write its wrap key to this file, for: securegate kms-trust add')
      .action(async (org: string, device: string, { pem, ...options }: CloudOptions & { pem?: string }) => {
        const cloud = await openCloud(options);
        const box = await contentOf(cloud.GET('/v1/orgs/{org}/devices/{id}', { params: { path: { org, id: device } } }));
        if (pem !== undefined) await writeFile(pem, box.wrapKey);
        print(options, box, () => formatDevice(box));
      }),
  );
  command.addCommand(
    one('state')
      .description('tell what a box should have, and how far it says that it is')
      .action(async (org: string, device: string, options: CloudOptions) => {
        const cloud = await openCloud(options);
        const state = await contentOf(cloud.GET('/v1/orgs/{org}/devices/{id}/state', { params: { path: { org, id: device } } }));
        print(options, state, () => formatState(state));
      }),
  );
  command.addCommand(
    one('models')
      .description('choose by which models a box detects and recognises; how far it is, its state says')
      .argument('[set]', 'a set of its version (securegate models list)')
      .option('--own', 'the one that the box chooses itself')
      .action(async (org: string, device: string, set: string | undefined, { own, ...options }: CloudOptions & { own?: true }) => {
        if ((set === undefined) !== (own === true)) throw new SecureGateError('usage', 'Give a set, or --own');
        const body = { models: set ?? null };
        await make(options, (cloud) => cloud.PATCH('/v1/orgs/{org}/devices/{id}', { params: { path: { org, id: device } }, body }));
      }),
  );
  command.addCommand(
    one('deny')
      .description('take everything from a box, for ever')
      .action((org: string, device: string, options: CloudOptions) =>
        make(options, (cloud) => cloud.POST('/v1/orgs/{org}/devices/{id}/deny', { params: { path: { org, id: device } } })),
      ),
  );
  command.addCommand(
    one('release')
      .description('let a box go; it may enrol anew')
      .action((org: string, device: string, options: CloudOptions) =>
        make(options, (cloud) => cloud.POST('/v1/orgs/{org}/devices/{id}/release', { params: { path: { org, id: device } } })),
      ),
  );
  return command;
}

function enrolmentTokensCommand(): Command {
  const command = new Command('enrolment-tokens').description('tokens by which boxes enrol');
  command.addCommand(
    asking('list')
      .description('list them; the tokens themselves are kept nowhere')
      .argument('<org>')
      .action((org: string, options: CloudOptions) =>
        list(options, ['id', 'name', 'state', 'device', 'expiresAt'], (cloud, query) =>
          cloud.GET('/v1/orgs/{org}/enrolment-tokens', { params: { path: { org }, query } }),
        ),
      ),
  );
  command.addCommand(
    asking('create')
      .description('make one, as an admin or technician of the org; it is printed now and never again')
      .argument('<org>')
      .option('--name <name>', 'name of the box that it is for')
      .option('--hours <number>', 'how long it counts', Number, 24)
      .action(async (org: string, { name, hours, ...options }: CloudOptions & { name?: string; hours: number }) => {
        const cloud = await openCloud(options);
        const body = { hours, ...(name === undefined ? {} : { name }) };
        const made = await contentOf(cloud.POST('/v1/orgs/{org}/enrolment-tokens', { params: { path: { org } }, body }));
        print(options, made, () => made.token);
      }),
  );
  return command;
}

async function readKeys(cloud: CloudClient, org: string, tenant: string): Promise<components['schemas']['TenantKeys']> {
  return await contentOf(cloud.GET('/v1/orgs/{org}/tenants/{tenant}/keys', { params: { path: { org, tenant } } }));
}
