import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { LeaseStatus } from '../../edge/api/ports.ts';
import { type StickRequest, stickAnswerSchema } from '../../shared/lease/stick.ts';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { signApproval } from '../helpers/kms.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { type LeasedBox, leasedBox } from '../helpers/leased-box.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));

beforeAll(async () => {
  await embeddedModels();
}, 120_000);

/** A box without a network, and its command line. */
async function startBox(org: TestOrg, box: LeasedBox) {
  const folder = await tempFolder();
  const config = join(folder, 'box.json');
  await writeFile(config, JSON.stringify(box.config({ lease: { kmsKeys: box.kmsKeys } })));
  const daemon = new DaemonProcess(config);
  onTestFinished(() => daemon.cleanUp());
  const { api } = await daemon.until('ready');
  const lease = (...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> =>
    promisify(execFile)(process.execPath, [MAIN, 'lease', ...args, '--config', config, '--api', api]).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: unknown; stdout: string; stderr: string }) => error,
    );
  const request = join(folder, 'request.json');
  /** What the KMS makes of the stick when the org's admin approves of it. */
  const answered = async (): Promise<string> => {
    const [token = ''] = (JSON.parse(await readFile(request, 'utf8')) as StickRequest).requests;
    const approval = await signApproval(org.admin, org.org, token);
    const file = join(folder, 'answer.json');
    const answer = await org.kms.client.call('exportTek', { request: token, approval });
    await writeFile(file, JSON.stringify(stickAnswerSchema.encode({ answers: [answer] })));
    return file;
  };
  return { api, lease, request, answered, daemon };
}

test('a box without a network is opened by a lease on a stick: requested, approved, imported once, and by no other box', async () => {
  const org = await testOrg('software');
  const [mine, other] = [await leasedBox(org), await leasedBox(org)];
  await mine.assign();
  const { api, lease, request, answered, daemon } = await startBox(org, mine);
  expect((await lease('show')).stdout).toContain('hall: closed (lease_missing)\n  comes on a stick');
  const ready = await (await fetch(`${api}/readyz`)).json();
  expect(ready).toMatchObject({ ready: false, parts: expect.arrayContaining([{ part: 'vaults', ready: false, reason: 'lease_missing' }]) });

  const made = await lease('request', 'hall', '--out', request);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toContain(request);
  const file = await answered();

  const elsewhere = await startBox(org, other);
  const stolen = await elsewhere.lease('import', file, '--json');
  expect([stolen.code, JSON.parse(stolen.stderr)]).toMatchObject([1, { error: { code: 'lease_rejected', details: { reason: 'device' } } }]);

  const imported = await lease('import', file, '--json');
  expect(imported).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(imported.stdout) as LeaseStatus).toMatchObject({
    tenant: 'hall',
    state: 'ready',
    enforcement: 'memory',
    comes: 'stick',
  });
  const shown = await lease('show', '--json');
  expect(JSON.parse(shown.stdout)).toEqual([JSON.parse(imported.stdout)]);
  expect((await lease('show')).stdout).toContain('kept in memory alone');
  expect(await (await fetch(`${api}/readyz`)).json()).toMatchObject({ ready: true });
  const again = await lease('import', file, '--json');
  expect([again.code, JSON.parse(again.stderr)]).toMatchObject([1, { error: { code: 'lease_rejected', details: { reason: 'request' } } }]);
  expect(daemon.log).not.toContain('Warning');
}, 180_000);

test('what cannot be done is told', async () => {
  const org = await testOrg('software');
  const box = await leasedBox(org);
  const { lease, request, daemon } = await startBox(org, box);
  for (const [args, code] of [
    [['request', 'north', '--out', request], 'lease_not_used'],
    [['request', 'south', '--out', request], 'tenant_not_found'],
    [['request', 'hall', '--out', join(request, 'nowhere')], 'storage_failed'],
    [['import', request], 'file_unreadable'],
  ] as const) {
    const told = await lease(...args, '--json');
    expect([told.code, JSON.parse(told.stderr)], args.join(' ')).toMatchObject([1, { error: { code } }]);
  }
  daemon.kill('SIGTERM');
  expect(await daemon.exit).toBe(0);
  const told = await lease('show', '--json');
  expect([told.code, JSON.parse(told.stderr)]).toMatchObject([1, { error: { code: 'box_unreachable' } }]);
}, 120_000);
