import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { NO_LIMITS, pinAdmins, TestCloud } from '../helpers/cloud.ts';
import { testKms } from '../helpers/kms.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** A KMS that is not there, for what does not ask it. */
const noKms = async (): Promise<{ socket: string }> => ({ socket: join(await tempFolder(), 'kms.sock') });
const metricsOf = async ({ url }: TestCloud, token?: string): Promise<{ status: number; text: string }> => {
  const answer = await fetch(`${url}/metrics`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  return { status: answer.status, text: await answer.text() };
};

test('metrics tell what was asked, how long database and KMS took and what waits, and nothing about anybody', async () => {
  const kms = await testKms('software');
  const cloud = await TestCloud.start(kms);
  const operator = await cloud.issuer.token(LOCAL_OPERATOR, '');
  await cloud.ask(operator, 'POST', '/v1/orgs', { id: 'acme-halls', name: 'Acme', jurisdiction: 'CH' });
  await pinAdmins(kms, 'acme-halls');
  const { body: named } = await cloud.ask(operator, 'POST', '/v1/orgs/acme-halls/first-admin', { name: 'Ada', email: 'ada@acme.example' });
  const admin = await cloud.issuer.token(named.id as string, 'acme-halls');
  const make = (id: string) => cloud.ask(admin, 'POST', '/v1/orgs/acme-halls/tenants', { id, name: 'Hall' });
  expect((await make('main-hall')).status).toBe(201);
  await cloud.ask(admin, 'GET', '/v1/orgs/acme-halls/tenants/nowhere');
  await cloud.ask(undefined, 'GET', '/v1/orgs/acme-halls');
  await cloud.ask(undefined, 'GET', '/no/such/route');

  const { status, text } = await metricsOf(cloud);
  expect(status).toBe(200);
  const request = (method: string, route: string, code: number): string =>
    `securegate_cloud_request_seconds_count{method="${method}",route="${route}",status="${code}"} 1`;
  expect(text).toContain(request('POST', '/v1/orgs/:org/tenants', 201));
  expect(text).toContain(request('GET', '/v1/orgs/:org/tenants/:tenant', 404));
  expect(text).toContain(request('GET', '/v1/orgs/:org', 401));
  expect(text).toContain(request('GET', 'none', 404));
  expect(text).toContain('securegate_cloud_refusals_total{code="tenant_not_found"} 1');
  expect(text).toContain('securegate_cloud_kms_seconds_count{operation="createEpoch",outcome="done"} 1');
  expect(text).toMatch(/securegate_cloud_database_seconds_count\{outcome="done"\} [1-9]/);
  expect(text).toContain('securegate_cloud_unfinished_tenants 0');
  expect(text).toMatch(/process_resident_memory_bytes [1-9]/);
  for (const secret of ['acme', 'main-hall', 'nowhere', named.id as string, 'Ada', admin]) expect(text).not.toContain(secret);

  await kms.stop();
  await make('other-hall');
  await expect.poll(async () => (await metricsOf(cloud)).text).toContain('outcome="kms_unavailable"} ');
});

test('with a token for metrics, whoever does not show it learns nothing, on this machine either', async () => {
  const file = join(await tempFolder(), 'metrics.token');
  await writeFile(file, 'scrape-me-if-you-can\n', { mode: 0o600 });
  const cloud = await TestCloud.start(await noKms(), undefined, { metrics: { token: { file } } });
  expect(await metricsOf(cloud)).toMatchObject({ status: 401, text: expect.not.stringContaining('securegate_cloud') });
  expect((await metricsOf(cloud, 'scrape-me')).status).toBe(401);
  expect((await metricsOf(cloud, await cloud.issuer.token(LOCAL_OPERATOR, ''))).status).toBe(401);
  expect((await metricsOf(cloud, 'scrape-me-if-you-can')).status).toBe(200);
  // Open to others.
  await chmod(file, 0o644);
  await expect(TestCloud.start(await noKms(), undefined, { metrics: { token: { file } } })).rejects.toMatchObject({
    code: 'secret_file_unsafe',
  });
});

test('a web page asks where its origin is configured, and nowhere else', async () => {
  const origin = 'https://console.example';
  const cloud = await TestCloud.start(await noKms(), undefined, { api: { corsOrigins: [origin] } });
  const preflight = (from: string): Promise<Response> =>
    fetch(`${cloud.url}/v1/orgs/acme`, {
      method: 'OPTIONS',
      headers: { origin: from, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization,if-match' },
    });
  const allowed = await preflight(origin);
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
  expect(allowed.headers.get('access-control-allow-methods')).toContain('PATCH');
  expect(allowed.headers.get('access-control-allow-headers')).toBe('authorization, content-type, idempotency-key, if-match');
  expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
  for (const other of ['https://evil.example', 'https://console.example.evil.example', 'http://console.example', 'null']) {
    expect((await preflight(other)).headers.get('access-control-allow-origin'), other).toBeNull();
  }
  const refused = await cloud.ask(undefined, 'GET', '/v1/orgs', undefined, { origin });
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, origin]);
  expect(refused.headers.get('access-control-expose-headers')).toContain('etag');

  const closed = await TestCloud.start(await noKms());
  const answer = await closed.ask(undefined, 'GET', '/healthz', undefined, { origin });
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  expect((await fetch(`${closed.url}/v1/orgs`, { method: 'OPTIONS', headers: { origin } })).status).toBe(404);
});

test('every answer has the same security headers, also when it is a refusal', async () => {
  const cloud = await TestCloud.start(await noKms());
  const guards = async (path: string): Promise<(string | null)[]> => {
    const { headers } = await cloud.ask(undefined, 'GET', path);
    return ['content-security-policy', 'x-content-type-options', 'cache-control'].map((name) => headers.get(name));
  };
  for (const path of ['/healthz', '/v1/orgs', '/no/such/route', '/openapi.json']) {
    expect(await guards(path), path).toEqual(["default-src 'none';frame-ancestors 'none'", 'nosniff', 'no-store']);
  }
});

test('a process that cannot keep up turns requests away, and still says that it lives', async () => {
  // Every process has more memory than that.
  const cloud = await TestCloud.start(await noKms(), undefined, { api: { rateLimits: NO_LIMITS, pressure: { heapMiB: 64 } } });
  const ballast = Array.from({ length: 64 }, (_, at) => Array.from({ length: 2 ** 17 }, () => at));
  const token = await cloud.issuer.token(LOCAL_OPERATOR, '');
  const ask = async (): Promise<number> => (await cloud.ask(token, 'GET', '/v1/orgs')).status;
  await expect.poll(ask, { timeout: 20_000 }).toBe(503);
  const refused = await cloud.ask(token, 'GET', '/v1/orgs');
  expect(refused.body).toMatchObject({ code: 'overloaded' });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await cloud.ask(undefined, 'GET', '/healthz')).status).toBe(200);
  expect((await metricsOf(cloud)).text).toContain('securegate_cloud_refusals_total{code="overloaded"}');
  expect(ballast).toHaveLength(64);
});

test('an org has a limit of its own, whoever of it asks, and a lower one for what the HSM works for', async () => {
  const kms = await testKms('software');
  const rateLimits = { ...NO_LIMITS, perOrg: 20, keyOperations: 3 };
  const cloud = await TestCloud.start(kms, undefined, { api: { rateLimits } });
  const operator = await cloud.issuer.token(LOCAL_OPERATOR, '');
  const admins: Record<string, string> = {};
  for (const org of ['ours', 'theirs']) {
    await cloud.ask(operator, 'POST', '/v1/orgs', { id: org, name: org, jurisdiction: 'CH' });
    await pinAdmins(kms, org);
    const { body } = await cloud.ask(operator, 'POST', `/v1/orgs/${org}/first-admin`, { name: 'Ada', email: 'ada@x.example' });
    admins[org] = await cloud.issuer.token(body.id as string, org);
  }
  const make = async (org: string, id: string): Promise<number> =>
    (await cloud.ask(admins[org], 'POST', `/v1/orgs/${org}/tenants`, { id, name: id })).status;
  expect([await make('ours', 'h1'), await make('ours', 'h2'), await make('ours', 'h3'), await make('ours', 'h4')]).toEqual([
    201, 201, 201, 429,
  ]);
  expect(await make('theirs', 'h1')).toBe(201);

  const { body: bea } = await cloud.ask(admins.ours, 'POST', '/v1/orgs/ours/users', {
    name: 'Bea',
    email: 'bea@x.example',
    roles: [{ role: 'auditor' }],
  });
  const auditor = await cloud.issuer.token(bea.id as string, 'ours');
  const statuses: number[] = [];
  for (let at = 0; at < 10; at++) {
    for (const token of [admins.ours, auditor]) statuses.push((await cloud.ask(token, 'GET', '/v1/orgs/ours')).status);
  }
  // Four tenants and a user were asked for before.
  expect(statuses.filter((status) => status === 200)).toHaveLength(15);
  expect((await cloud.ask(admins.theirs, 'GET', '/v1/orgs/theirs')).status).toBe(200);
});
