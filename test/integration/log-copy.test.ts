import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { TestCloud } from '../helpers/cloud.ts';
import { READER_RIGHTS, WRITER_RIGHTS } from '../helpers/copy-place.ts';
import { testKms } from '../helpers/kms.ts';
import { S3Fake } from '../helpers/s3-fake/s3-fake.ts';
import { noteToken } from '../helpers/secrecy/note-secret.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));
const PATIENTLY = { timeout: 30_000, interval: 50 };

test('a control plane copies its log to a bucket, tells how far it is, and is held against it from another machine', async () => {
  const [kms, folder, store] = [await testKms('software'), await tempFolder(), await S3Fake.start()];
  const address = { file: join(folder, 'cloud.db') };
  const at = (name: string): string => join(folder, name);
  const start = async (): Promise<TestCloud> => {
    const cloud = await TestCloud.start(kms, address, { audit: { s3: await store.account(...WRITER_RIGHTS) } });
    await writeFile(at('token'), noteToken('access token', await cloud.issuer.token(LOCAL_OPERATOR, '')));
    return cloud;
  };
  const without = await TestCloud.start(kms, address);
  const operator = await without.issuer.token(LOCAL_OPERATOR, '');
  expect((await without.ask(operator, 'POST', '/v1/orgs', { id: 'acme', name: 'Acme', jurisdiction: 'CH' })).status).toBe(201);
  expect((await without.ask(operator, 'GET', '/v1/audit/copy')).body).toEqual({ copy: null });
  const { key } = (await without.ask(undefined, 'GET', '/v1/audit/heads/latest')).body;
  await writeFile(at('key.json'), JSON.stringify(key));
  expect((await without.ask(undefined, 'GET', '/readyz')).body.parts).not.toContainEqual(expect.objectContaining({ part: 'log-copy' }));
  await without.stop();

  const cloud = await start();
  const asking = (): string[] => ['--cloud', cloud.url, '--token', at('token')];
  const audit = async (...args: string[]): Promise<string> => {
    const env = { ...process.env, XDG_DATA_HOME: folder };
    return (await promisify(execFile)(process.execPath, [MAIN, 'audit', ...args], { env })).stdout.trim();
  };
  /** @returns the code of the error that it ends with */
  const failing = async (...args: string[]): Promise<string> => {
    const { stderr } = await audit(...args, '--json').then(
      () => ({ stderr: '{}' }),
      (error: { stderr: string }) => error,
    );
    return (JSON.parse(stderr.trim().split('\n').at(-1) ?? '{}') as { error: { code: string } }).error.code;
  };
  const copyOf = async (one: TestCloud) => (await one.ask(await one.issuer.token(LOCAL_OPERATOR, ''), 'GET', '/v1/audit/copy')).body.copy;
  await expect.poll(async () => (await copyOf(cloud)).copiedAt, PATIENTLY).not.toBeNull();
  const { size } = await copyOf(cloud);
  expect(size).toBeGreaterThan(0);
  expect(await audit('copy', ...asking())).toMatch(
    /^\d+ entries of the log are in http.*\/audit-log\/log\/, \d+ are not yet. It was all there at /,
  );
  expect((await cloud.ask(undefined, 'GET', '/readyz')).body.parts).toContainEqual({
    part: 'log-copy',
    ready: true,
    reason: null,
    what: null,
  });

  const { endpoint, region, bucket, prefix, credentials } = await store.account(...READER_RIGHTS);
  const place = ['--endpoint', endpoint, '--region', region, '--bucket', bucket, '--prefix', prefix];
  const reading = [...place, '--access-key', (credentials as { file: string }).file, '--key', at('key.json')];
  const first = JSON.parse(await audit('verify-copy', ...reading, ...asking(), '--json')) as Record<string, unknown>;
  expect(first).toMatchObject({ verified: true, forks: [], online: { log: first.log } });
  expect(first.size).toBeGreaterThanOrEqual(size);
  // Where no HSM was lost, what an org is told adds nothing.
  const { head: latest } = (await cloud.ask(undefined, 'GET', '/v1/audit/heads/latest')).body;
  const exported = { version: 1, org: 'acme', key, head: latest, forks: [], leaves: [], entries: [], cosignatures: [] };
  await writeFile(at('log.json'), JSON.stringify(exported));
  const following = ['--export', at('log.json'), '--org-keys', '0000-0000'];
  expect(JSON.parse(await audit('verify-copy', ...reading, ...following, '--json'))).toMatchObject({ verified: true, losses: [] });
  expect(await failing('verify-copy', ...reading, '--export', at('no.json'))).toBe('file_unreadable');
  expect(await audit('verify-copy', ...reading)).toContain('What the control plane tells was not looked at');
  expect(await failing('verify-copy', ...reading, '--prefix', 'elsewhere')).toBe('usage');
  expect(await failing('verify-copy', ...reading, '--prefix', 'elsewhere/', '--state', at('none'))).toBe('log_copy_differs');
  await cloud.stop();

  // Somebody puts something over the head: control plane and auditor say so, and the control plane goes on.
  const head = store.objects.names.findLast((name) => name.includes('/checkpoint/')) ?? '';
  store.objects.put(head, { body: Buffer.from('another') });
  expect(await failing('verify-copy', ...reading)).toBe('log_copy_differs');
  const again = await start();
  await expect.poll(async () => (await copyOf(again)).problem, PATIENTLY).toBe('log_copy_differs');
  const { status, body } = await again.ask(undefined, 'GET', '/readyz');
  expect([status, body.parts]).toEqual([
    200,
    expect.arrayContaining([{ part: 'log-copy', ready: true, reason: 'log_copy_differs', what: null }]),
  ]);
  const metrics = await (await fetch(`${again.url}/metrics`)).text();
  expect(metrics).toMatch(/securegate_cloud_log_copy_failures_total\{code="log_copy_differs"\} [1-9]/);
  expect(metrics).toMatch(/securegate_cloud_log_copy_lag_leaves \d+/);
  expect(metrics).toMatch(/securegate_cloud_log_copy_time_seconds \d{10}/);
}, 120_000);
