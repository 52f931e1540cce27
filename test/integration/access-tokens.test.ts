import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { ROLE_NAMES } from '../../cloud/iam/roles.ts';
import { ROLE_SCOPES } from '../../edge/api/auth/role-scopes.ts';
import { parseConfig } from '../../edge/config/load-config.ts';
import { Daemon } from '../../edge/daemon.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { newId } from '../../shared/ids/ids.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { BOX_AUDIENCE, CLOUD_AUDIENCE, PLATFORM_OWNER, TokenVerifier } from '../../shared/tokens/token-verifier.ts';
import { readOperations } from '../helpers/api-operations.ts';
import { TestCloud, TestIssuer } from '../helpers/cloud.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { IssuerServer } from '../helpers/issuer-server.ts';
import { testKms } from '../helpers/kms.ts';
import { rawRequest } from '../helpers/raw-request.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { PLENTY, startTestApi, type TestApi } from '../helpers/test-api.ts';
import { consentFor, sightingOf } from '../helpers/vault-guests.ts';

const USER = newId('user');
const issuer = new TestIssuer();

/** A token for boxes, with these roles. */
const boxToken = (roles: object[], owner = 'acme', claims: object = {}): Promise<string> =>
  issuer.token(USER, owner, { aud: BOX_AUDIENCE, roles, ...claims });

describe('a box', () => {
  let api: TestApi;
  beforeAll(async () => {
    const tokens = new TokenVerifier([await issuer.trusted()], BOX_AUDIENCE, Date.now);
    api = await startTestApi({ more: { tokens } });
  }, 60_000);
  afterAll(() => api.stop());

  /** Whether it lets somebody in; what he asks for need not be there. */
  async function lets(token: string, method: string, path: string): Promise<boolean> {
    const response = await fetch(`${api.url}${path}`, { method, headers: { authorization: `Bearer ${token}` } });
    await response.body?.cancel();
    expect([401, 429, 500]).not.toContain(response.status);
    return response.status !== 403;
  }

  test('lets a role of the control plane do what its scopes say, in the tenants it was given for, route by route', async () => {
    const { operations } = await readOperations(api);
    const asked = operations.filter(({ access }) => !['public', 'session'].includes(access));
    expect(asked.length).toBeGreaterThan(40);
    const queries: Record<string, string> = { '/v1/sightings/stream': '?tenants={tenant}', '/v1/live': '?cameras={tenant}/{camera}' };
    const pathIn = (path: string, tenant: string): string =>
      `${path}${queries[path] ?? ''}`.replace('{tenant}', tenant).replaceAll(/\{\w+\}/g, `rec_${'a'.repeat(26)}`);
    for (const role of [...ROLE_NAMES, 'made-up', '__proto__']) {
      const everywhere = await boxToken([{ role }]);
      const northAlone = await boxToken([{ role, tenant: 'north' }]);
      for (const { name, method, path, access } of asked) {
        const may = (ROLE_SCOPES.get(role) ?? []).some((scope) => scope === access);
        expect(await lets(everywhere, method, pathIn(path, 'south')), `${role}: ${name}`).toBe(may);
        expect(await lets(northAlone, method, pathIn(path, 'north')), `${role} in north: ${name}`).toBe(may);
        expect(await lets(northAlone, method, pathIn(path, 'south')), `${role} in north, of south: ${name}`).toBe(false);
      }
    }
  }, 120_000);

  test('shows nobody of a guest to those who run the platform, the org or the box, or who audit', () => {
    // Whoever names a receiver of webhooks has every sighting sent there.
    const ofPeople = ['people:read', 'people:write', 'search', 'sightings:read', 'live', 'webhooks'];
    for (const role of ['platform:operator', 'org:admin', 'technician', 'auditor', 'customer']) {
      expect(
        (ROLE_SCOPES.get(role) ?? []).filter((scope) => ofPeople.includes(scope)),
        role,
      ).toEqual([]);
    }
  });

  test('has no use for tokens of another org, of the platform, for the control plane, or of two tenants where one is not theirs', async () => {
    const path = '/v1/tenants/north/customers';
    const status = async (token: string, at = path): Promise<number> => (await api.ask('GET', at, { as: token })).status;
    const admin = [{ role: 'tenant:admin' }];
    expect(await status(await boxToken(admin))).toBe(200);
    expect(await status(await boxToken(admin, 'other'))).toBe(403);
    expect(await status(await boxToken(admin, PLATFORM_OWNER))).toBe(403);
    expect(await status(await boxToken([{ role: 'platform:operator' }], PLATFORM_OWNER))).toBe(403);
    expect(await status(await boxToken([]))).toBe(403);
    expect(await status(await boxToken(admin), '/v1/tenants/nowhere/customers')).toBe(403);
    const north = await boxToken([{ role: 'tenant:admin', tenant: 'north' }]);
    expect(await status(north, '/v1/sightings/stream?tenants=north,south')).toBe(403);
    for (const claims of [
      { aud: CLOUD_AUDIENCE },
      { aud: undefined },
      { exp: Math.floor(Date.now() / 1000) - 60 },
      { roles: 'tenant:admin' },
      { roles: [{ role: 'tenant:admin', tenant: '../north' }] },
      { roles: Array.from({ length: 101 }, () => ({ role: 'operator' })) },
      { owner: undefined },
      { sub: 'admin' },
    ]) {
      expect(await status(await boxToken(admin, 'acme', claims)), JSON.stringify(claims)).toBe(401);
    }
  });

  test('tells names to whoever may read people in that tenant', async () => {
    const made = await api.ask('POST', '/v1/tenants/north/customers', { as: api.admin, json: { name: 'Bea', consent: consentFor() } });
    const { id: customerId } = made.body as { id: string };
    api.box.seenNow.push({ ...sightingOf(customerId, 'north'), phase: 'begun' });
    const as = await boxToken([{ role: 'operator', tenant: 'north' }]);
    const { body } = await api.ask('GET', '/v1/tenants/north/sightings/in-view', { as });
    expect(body).toMatchObject({ items: [{ customerId, name: 'Bea' }] });
  });

  test('holds a token to the tenant of the host name', async () => {
    api.box.hostnames.set('hall.test', { org: 'acme', tenant: 'north' });
    const head = async (tenant: string): Promise<string> =>
      `GET /v1/tenants/${tenant}/rooms HTTP/1.1\r\nHost: hall.test\r\nAuthorization: Bearer ${await boxToken([{ role: 'operator' }])}\r\n`;
    expect(await rawRequest(api.url, `${await head('north')}Connection: close\r\n\r\n`)).toMatchObject([{ status: 200 }]);
    expect(await rawRequest(api.url, `${await head('south')}Connection: close\r\n\r\n`)).toMatchObject([{ status: 403 }]);
  });

  test('counts tokens that do not count, and without an issuer none counts', async () => {
    const tokens = new TokenVerifier([await issuer.trusted()], BOX_AUDIENCE, Date.now);
    const strict = await startTestApi({ more: { tokens, rateLimits: { ...PLENTY, logIns: 2 } } });
    onTestFinished(() => strict.stop());
    const tries = [];
    for (let at = 0; at < 3; at += 1)
      tries.push((await strict.ask('GET', '/v1/tenants', { as: await new TestIssuer().token(USER, 'acme') })).status);
    expect(tries).toEqual([401, 401, 429]);
    const without = await startTestApi();
    onTestFinished(() => without.stop());
    const token = await boxToken([{ role: 'tenant:admin' }]);
    expect((await without.ask('GET', '/v1/tenants/north/customers', { as: token })).status).toBe(401);
  });
});

test('the daemon takes issuer and host names from its configuration, and the tokens count while the issuer is away', async () => {
  await embeddedModels();
  const folder = await tempFolder();
  const server = await IssuerServer.start(issuer);
  const config = parseConfig({
    dataDir: join(folder, 'data'),
    keyDir: join(folder, 'keys'),
    api: { port: 0 },
    issuer: { issuer: issuer.issuer, keysUrl: server.url },
    tenants: [
      { id: 'north', org: 'acme', hostnames: ['north.test'] },
      { id: 'south', org: 'acme' },
    ],
    inference: { workers: 1 },
  });
  /** @returns what the box answers for one tenant after the other, by the name of the first */
  const run = async (): Promise<number[]> => {
    let url = '';
    const daemon = new Daemon({
      config,
      clock: systemClock,
      logger: createLogger('test', { level: 'silent' }),
      emit: (event) => {
        if (event.type === 'ready') url = event.api;
      },
    });
    await daemon.start(new AbortController().signal);
    const answers: number[] = [];
    for (const tenant of ['north', 'south']) {
      const token = await boxToken([{ role: 'technician' }]);
      const head = `GET /v1/tenants/${tenant}/rooms HTTP/1.1\r\nHost: north.test\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
      answers.push(...(await rawRequest(url, head)).map(({ status }) => status));
    }
    expect(await daemon.stop()).toEqual([]);
    return answers;
  };
  expect(await run()).toEqual([200, 403]);
  await server.stop();
  expect(await run()).toEqual([200, 403]);
}, 120_000);

test('the control plane takes tokens of the configured issuer, and those of its own machine', async () => {
  const server = await IssuerServer.start(issuer);
  const kms = await testKms('software');
  const cloud = await TestCloud.start(kms, undefined, { issuer: { issuer: issuer.issuer, keysUrl: server.url } });
  const status = async (token: string): Promise<number> => (await cloud.ask(token, 'GET', '/v1/orgs')).status;
  expect(await status(await issuer.token(LOCAL_OPERATOR, ''))).toBe(200);
  expect(await status(await cloud.localToken(LOCAL_OPERATOR, ''))).toBe(200);
  expect(await status(await issuer.token(LOCAL_OPERATOR, '', { aud: BOX_AUDIENCE }))).toBe(401);
  expect(await status(await new TestIssuer().token(LOCAL_OPERATOR, ''))).toBe(401);
});
