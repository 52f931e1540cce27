import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { KmsClient } from '../../cloud/kms/client.ts';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { freePort } from '../helpers/free-port.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));

beforeAll(async () => {
  await embeddedModels();
}, 120_000);

/** A command of `securegate`. @returns what it printed */
async function run(...args: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [MAIN, ...args], { env: { ...process.env, SOFTHSM2_CONF: softHsm } })).stdout.trim();
}
/** Where the control plane's own token is, where SoftHSM is installed. */
let softHsm = '';

test('from nothing to a box whose tenants open under leases, by the commands of the runbooks alone', async () => {
  const folder = await tempFolder();
  const at = (name: string): string => join(folder, name);
  softHsm = at('cloud/softhsm2.conf');
  const up = spawn(
    process.execPath,
    [
      MAIN,
      'cloud',
      'up',
      '--data',
      at('cloud'),
      '--port',
      String(await freePort()),
      '--fleet-port',
      String(await freePort()),
      '--broker-port',
      String(await freePort()),
    ],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  onTestFinished(async () => {
    const gone = once(up, 'exit');
    up.kill('SIGTERM');
    await gone;
  });
  let told = '';
  up.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  await expect.poll(() => told, { timeout: 60_000 }).toContain('The control plane answers at');
  const cloud = ['--config', join(at('cloud'), 'cloud.json')];

  // The operator of the platform, and the admin of the org with keys of his own.
  await run('cloud', 'orgs', 'create', 'acme', '--name', 'Acme Halls', '--jurisdiction', 'CH', ...cloud);
  const ada = await run('cloud', 'orgs', 'first-admin', 'acme', '--name', 'Ada', '--email', 'ada@acme.example', ...cloud);
  const asAda = [...cloud, '--account', ada];
  for (const key of ['ada.pem', 'safe.pem']) await run('org-keys', 'new', at(key));
  await run('org-keys', 'pin', 'acme', '--admin', at('ada.pem'), '--recovery', at('safe.pem'), ...asAda);
  for (const tenant of ['hall', 'club']) await run('cloud', 'tenants', 'create', 'acme', tenant, '--name', tenant, ...asAda);

  // The technician prepares the box; the security officer trusts it; the admin assigns it.
  await writeFile(at('kms-keys.json'), await run('cloud', 'lease-keys', ...cloud));
  const tenants = [
    { id: 'hall', org: 'acme', keys: 'lease' },
    { id: 'club', org: 'acme', keys: 'lease' },
  ];
  const lease = { kmsKeys: at('kms-keys.json'), kmsSocket: join(at('cloud'), 'run/kms.sock') };
  const config = { dataDir: at('data'), keyDir: at('keys'), api: { port: 0 }, lease, tenants };
  await writeFile(at('box.json'), JSON.stringify(config));
  await writeFile(at('device.json'), await run('device-keys', 'show', '--config', at('box.json'), '--pem', at('box.pem'), '--json'));
  await run('kms-trust', 'add', at('box.pem'), '--config', join(at('cloud'), 'kms-trust.json'));
  const assign = (tenant: string): Promise<string> =>
    run('org-keys', 'assign', 'acme', tenant, '--key', at('ada.pem'), '--device', at('device.json'), ...asAda);
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
  const approve = ['org-keys', 'approve', 'acme', at('request.json'), '--key', at('ada.pem'), '--out', at('answer.json'), ...asAda];
  await expect(run(...approve)).rejects.toMatchObject({ stderr: expect.stringContaining('[assignment_rejected]') });
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
