import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { KmsClient } from '../../cloud/kms/client.ts';
import { CloudProcess } from '../../provisioning/cloud/cloud-process.ts';
import { foundOrg } from '../../provisioning/cloud/found-org.ts';
import { securegate } from '../../provisioning/cloud/securegate.ts';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

beforeAll(async () => {
  await embeddedModels();
}, 120_000);

test('from nothing to a box whose tenants open under leases, by the commands of the runbooks alone', async () => {
  const folder = await tempFolder();
  const at = (name: string): string => join(folder, name);
  const cloud = new CloudProcess(at('cloud'));
  onTestFinished(() => cloud.stop());
  await cloud.start();
  const { env } = cloud;
  const run = (...args: string[]): Promise<string> => securegate(args, { env });

  // The operator of the platform, and the admin of the org with keys of his own.
  const ada = await foundOrg(cloud, { org: 'acme', tenants: ['hall', 'club'], folder });

  // The technician prepares the box; the security officer trusts it; the admin assigns it.
  await writeFile(at('kms-keys.json'), await run('cloud', 'lease-keys', '--config', cloud.config));
  const tenants = [
    { id: 'hall', org: 'acme', keys: 'lease' },
    { id: 'club', org: 'acme', keys: 'lease' },
  ];
  const lease = { kmsKeys: at('kms-keys.json'), kmsSocket: join(at('cloud'), 'run/kms.sock') };
  const config = { dataDir: at('data'), keyDir: at('keys'), api: { port: 0 }, lease, tenants };
  await writeFile(at('box.json'), JSON.stringify(config));
  await writeFile(at('device.json'), await run('device-keys', 'show', '--config', at('box.json'), '--pem', at('box.pem'), '--json'));
  await run('kms-trust', 'add', at('box.pem'), '--config', cloud.trustConfig);
  const assign = (tenant: string): Promise<string> =>
    run('org-keys', 'assign', 'acme', tenant, '--key', ada.key, '--device', at('device.json'), ...ada.options);
  await assign('hall');

  const daemon = new DaemonProcess(at('box.json'));
  onTestFinished(() => daemon.cleanUp());
  const { api } = await daemon.until('ready');
  const leases = async (): Promise<{ tenant: string; state: string }[]> =>
    JSON.parse(await run('lease', 'show', '--config', at('box.json'), '--api', api, '--json'));
  await expect.poll(leases, { timeout: 30_000 }).toMatchObject([
    { tenant: 'hall', state: 'ready', enforcement: 'memory' },
    { tenant: 'club', state: 'closed' },
  ]);

  // The other tenant's lease comes on a stick.
  const stick = ['--config', at('box.json'), '--api', api];
  const request = (): Promise<string> => run('lease', 'request', 'club', '--out', at('request.json'), ...stick);
  const bring = (): Promise<string> => run('lease', 'import', at('answer.json'), ...stick);
  await request();
  const approve = ['org-keys', 'approve', 'acme', at('request.json'), '--key', ada.key, '--out', at('answer.json'), ...ada.options];
  await expect(run(...approve)).rejects.toThrow('[assignment_rejected]');
  await assign('club');
  await run(...approve);
  await bring();
  expect(await leases()).toMatchObject([{ state: 'ready' }, { tenant: 'club', state: 'ready', epoch: 1 }]);

  // The KMS begins another epoch: one stick brings the box there, and the next one brings its word back.
  const kms = new KmsClient(join(at('cloud'), 'run/kms.sock'));
  onTestFinished(() => kms.close());
  const club = { org: 'acme', tenant: 'club' };
  await kms.call('createEpoch', { ...club, epoch: 2 });
  await request();
  await run(...approve);
  expect(await bring()).toContain('has moved to another epoch');
  expect(await request()).toContain('needs no earlier key');
  await run(...approve);
  await bring();
  expect((await kms.call('getMove', { ...club, epoch: 1 })).boxes).toMatchObject([{ state: 'moved' }]);
  expect(await leases()).toMatchObject([{ state: 'ready' }, { tenant: 'club', state: 'ready', epoch: 2 }]);
}, 240_000);
