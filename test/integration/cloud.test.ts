import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { openStore, type StoreAddress } from '../../cloud/store/open-store.ts';
import { newId } from '../../shared/ids/ids.ts';
import { type Answer, pinAdmins, TestCloud } from '../helpers/cloud.ts';
import { type TestKms, testKms } from '../helpers/kms.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const ORG = { id: 'acme', name: 'Acme Halls', jurisdiction: 'CH' };

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

describe.each(['SQLite', 'Postgres'])('the control plane on %s', (database) => {
  const freshStore = async (): Promise<StoreAddress> =>
    database === 'SQLite' ? { file: join(await tempFolder(), 'cloud.db') } : { postgres: await postgres.database() };

  /** An org with its first admin, who is logged in. */
  async function orgWithAdmin(cloud: TestCloud, kms: TestKms | undefined, id = 'acme') {
    const operator = await cloud.issuer.token(LOCAL_OPERATOR, '');
    expect(await cloud.ask(operator, 'POST', '/v1/orgs', { ...ORG, id })).toMatchObject({ status: 201 });
    const named = await cloud.ask(operator, 'POST', `/v1/orgs/${id}/first-admin`, { name: 'Ada', email: `ada@${id}.example` });
    expect(named.status).toBe(201);
    if (kms) await pinAdmins(kms, id);
    const admin = await cloud.issuer.token(named.body.id as string, id);
    const ask = (method: string, path: string, body?: object, headers?: Record<string, string>): Promise<Answer> =>
      cloud.ask(admin, method, `/v1/orgs/${id}${path}`, body, headers);
    return { operator, admin, adminId: named.body.id as string, ask };
  }

  test('an org, its admin, a tenant with its key: made, listed, changed, and told by the audit log', async () => {
    const kms = await testKms('software');
    const cloud = await TestCloud.start(kms, await freshStore());
    const { operator, adminId, ask } = await orgWithAdmin(cloud, kms);
    const hall = { id: 'main-hall', name: 'Main hall', hostnames: ['hall.acme.example'] };
    const made = await ask('POST', '/tenants', hall);
    expect(made).toMatchObject({
      status: 201,
      body: { ...hall, org: 'acme', state: 'active', version: 1, policies: { twoPersonRule: true } },
    });
    expect(made.headers.get('location')).toBe('/v1/orgs/acme/tenants/main-hall');
    expect(await kms.client.call('listEpochs', { org: 'acme', tenant: 'main-hall' })).toEqual([
      { epoch: 1, state: 'ready', leftFrom: null, destroyedAt: null },
    ]);
    expect(await ask('GET', '/tenants')).toMatchObject({ body: { items: [hall], next: null } });

    const renamed = await ask('PATCH', '/tenants/main-hall', { name: 'Great hall' }, { 'if-match': '"1"' });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'Great hall', version: 2, hostnames: ['hall.acme.example'] } });
    expect(await ask('PATCH', '/tenants/main-hall', { name: 'Late' }, { 'if-match': '"1"' })).toMatchObject({
      status: 412,
      body: { code: 'version_conflict' },
    });
    expect(await ask('PATCH', '/tenants/main-hall', { hostnames: [] })).toMatchObject({ body: { name: 'Great hall', hostnames: [] } });
    expect(await ask('PATCH', '', { keyPolicy: { leaseSeconds: 3600 } })).toMatchObject({
      body: { name: 'Acme Halls', keyPolicy: { leaseSeconds: 3600, enforcement: 'memory' }, plan: 'trial', version: 2 },
    });
    expect(await cloud.ask(operator, 'PATCH', '/v1/orgs/acme/plan', { features: ['video-api'] })).toMatchObject({
      body: { features: ['video-api'], keyPolicy: { leaseSeconds: 3600 } },
    });

    const log = await ask('GET', '/audit?limit=4');
    expect(log.body.items).toMatchObject([
      { operation: 'orgs.change-plan', actor: LOCAL_OPERATOR, outcome: 'done' },
      { operation: 'orgs.change', actor: adminId, outcome: 'done' },
      { operation: 'tenants.change', tenant: 'main-hall', outcome: 'done' },
      { operation: 'tenants.change', tenant: 'main-hall', outcome: 'version_conflict' },
    ]);
    const earlier = await ask('GET', `/audit?before=${log.body.items[3].position}`);
    expect(earlier.body.items.map(({ operation, target }: { operation: string; target: string }) => [operation, target])).toEqual([
      ['tenants.change', null],
      ['tenants.create', 'main-hall'],
      ['orgs.name-first-admin', adminId],
    ]);
  });

  test('a change of policies, keys or branding leaves what it does not name; null takes away what need not be there', async () => {
    const kms = await testKms('software');
    const cloud = await TestCloud.start(kms, await freshStore());
    const { ask } = await orgWithAdmin(cloud, kms);
    const made = { sightingsDays: 7, unmatchedTtlMs: 5000, matchThreshold: 0.5, twoPersonRule: false };
    expect((await ask('POST', '/tenants', { id: 'hall', name: 'Hall', policies: made })).status).toBe(201);
    const change = async (policies: object) => (await ask('PATCH', '/tenants/hall', { policies })).body;
    expect(await change({ sightingsDays: 9 })).toMatchObject({ policies: { ...made, sightingsDays: 9 } });
    expect((await change({ matchThreshold: null })).policies).toEqual({ sightingsDays: 9, unmatchedTtlMs: 5000, twoPersonRule: false });
    expect(await change({ sightingsDays: null })).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(await change({ unknown: 1 })).toMatchObject({ status: 400, code: 'invalid_request' });

    const colours = { primary: '#1a2b3c' };
    await ask('PATCH', '', {
      branding: { logo: 'https://acme.example/logo.svg', domains: ['acme.example'] },
      keyPolicy: { leaseSeconds: 60 },
    });
    const both = await ask('PATCH', '', { branding: { colours, logo: null }, keyPolicy: { eraseDeadlineDays: 9 } });
    expect(both.body).toMatchObject({ keyPolicy: { leaseSeconds: 60, epochMoveHours: 24, eraseDeadlineDays: 9 }, version: 3 });
    expect(both.body.branding).toEqual({ colours, domains: ['acme.example'] });
  });

  test('ids and host names belong to one, and a list comes page by page', async () => {
    const kms = await testKms('software');
    const cloud = await TestCloud.start(kms, await freshStore());
    const { ask, operator } = await orgWithAdmin(cloud, kms);
    const other = await orgWithAdmin(cloud, kms, 'other');
    for (const id of ['a1', 'a2', 'a3']) expect((await ask('POST', '/tenants', { id, name: id })).status).toBe(201);
    expect(await ask('POST', '/tenants', { id: 'a2', name: 'again' })).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect((await other.ask('POST', '/tenants', { id: 'a2', name: 'own', hostnames: ['own.example'] })).status).toBe(201);
    expect(await ask('PATCH', '/tenants/a1', { hostnames: ['own.example'] })).toMatchObject({ status: 409 });
    expect(await ask('GET', '/tenants/a1')).toMatchObject({ body: { hostnames: [], version: 1 } });
    const first = await ask('GET', '/tenants?limit=2');
    expect(first.body).toMatchObject({ items: [{ id: 'a1' }, { id: 'a2', name: 'a2' }], next: 'a2' });
    expect((await ask('GET', `/tenants?limit=2&cursor=${first.body.next}`)).body).toMatchObject({ items: [{ id: 'a3' }], next: null });
    expect(await cloud.ask(operator, 'POST', '/v1/orgs', ORG)).toMatchObject({ status: 409 });
    expect((await cloud.ask(operator, 'GET', '/v1/orgs?limit=1')).body).toMatchObject({ items: [{ id: 'acme' }], next: 'acme' });
  });

  test('a request that is repeated under its key makes nothing twice', async () => {
    const kms = await testKms('software');
    const cloud = await TestCloud.start(kms, await freshStore());
    const { ask } = await orgWithAdmin(cloud, kms);
    const key = { 'idempotency-key': 'once-and-no-more' };
    const first = await ask('POST', '/users', { name: 'Bea', email: 'Bea@Acme.example' }, key);
    const second = await ask('POST', '/users', { name: 'Bea', email: 'Bea@Acme.example' }, key);
    expect(first).toMatchObject({ status: 201, body: { email: 'bea@acme.example' } });
    expect(second).toMatchObject({ status: 201, body: { id: first.body.id } });
    expect(await ask('POST', '/users', { name: 'Cleo', email: 'c@acme.example' }, key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_mismatch' },
    });
    expect((await ask('GET', '/users')).body.items).toHaveLength(2);
  });

  test('without a KMS there is no tenant; a tenant whose key was not made gets it later', async () => {
    const kms = await testKms('software');
    const store = await freshStore();
    const cloud = await TestCloud.start(kms, store);
    const { ask } = await orgWithAdmin(cloud, undefined);
    expect(await ask('POST', '/tenants', { id: 'hall', name: 'Hall' })).toMatchObject({ status: 409, body: { code: 'admins_missing' } });
    await kms.stop();
    expect(await ask('POST', '/tenants', { id: 'hall', name: 'Hall' })).toMatchObject({ status: 503, body: { code: 'kms_unavailable' } });
    expect(await cloud.ask(undefined, 'GET', '/readyz')).toMatchObject({
      status: 503,
      body: {
        parts: [
          { part: 'database', ready: true },
          { part: 'kms', ready: false, reason: 'kms_unavailable' },
        ],
      },
    });
    expect((await ask('GET', '/tenants')).body.items).toEqual([]);
    await kms.start();
    await pinAdmins(kms, 'acme');
    expect((await ask('POST', '/tenants', { id: 'hall', name: 'Hall' })).status).toBe(201);

    // As a crash between the two writes leaves it.
    await cloud.stop();
    const opened = await openStore(store);
    await sql`UPDATE tenants SET state = 'making'`.execute(opened.db);
    await opened.close();
    const again = await TestCloud.start(kms, store);
    const operator = await again.issuer.token(LOCAL_OPERATOR, '');
    await expect.poll(async () => (await again.ask(operator, 'GET', '/v1/orgs/acme/tenants/hall')).body.state).toBe('active');
    expect(await again.ask(undefined, 'GET', '/readyz')).toMatchObject({
      status: 200,
      body: { parts: [{}, { what: expect.stringContaining('software, not an HSM') }] },
    });
  });

  test('roles: given in an org or in one tenant, where they can be; an org keeps an admin', async () => {
    const kms = await testKms('software');
    const cloud = await TestCloud.start(kms, await freshStore());
    const { ask, adminId, operator } = await orgWithAdmin(cloud, kms);
    for (const id of ['east', 'west']) await ask('POST', '/tenants', { id, name: id });
    const bea = (await ask('POST', '/users', { name: 'Bea', email: 'bea@acme.example' })).body.id as string;
    const asBea = async (method: string, path: string, body?: object): Promise<number> =>
      (await cloud.ask(await cloud.issuer.token(bea, 'acme'), method, `/v1/orgs/acme${path}`, body)).status;
    expect(await asBea('GET', '/tenants/east')).toBe(403);
    const given = await ask('POST', `/users/${bea}/roles`, { role: 'tenant:admin', tenant: 'east' });
    expect(given.body.roles).toEqual([{ role: 'tenant:admin', tenant: 'east' }]);
    expect(await asBea('PATCH', '/tenants/east', { name: 'East wing' })).toBe(200);
    expect(await asBea('GET', '/tenants/west')).toBe(403);
    expect(await asBea('GET', '/tenants')).toBe(403);
    expect(await ask('POST', `/users/${bea}/roles`, { role: 'platform:operator' })).toMatchObject({ status: 400 });
    expect(await ask('POST', `/users/${bea}/roles`, { role: 'operator', tenant: 'nowhere' })).toMatchObject({ status: 404 });
    expect((await ask('DELETE', `/users/${bea}/roles/tenant:admin?tenant=east`)).body.roles).toEqual([]);
    expect(await asBea('GET', '/tenants/east')).toBe(403);

    expect(await ask('DELETE', `/users/${adminId}/roles/org:admin`)).toMatchObject({ status: 409 });
    expect(await ask('PATCH', `/users/${adminId}`, { active: false })).toMatchObject({ status: 409 });
    await ask('POST', `/users/${bea}/roles`, { role: 'org:admin' });
    expect(await ask('PATCH', `/users/${adminId}`, { active: false })).toMatchObject({ status: 200, body: { active: false } });
    expect(await ask('GET', '')).toMatchObject({ status: 401 });
    expect(await cloud.ask(operator, 'POST', '/v1/orgs/acme/first-admin', { name: 'Eve', email: 'eve@acme.example' })).toMatchObject({
      status: 409,
    });
  });

  test('a feature that is off is refused', async () => {
    const kms = await testKms('software');
    const cloud = await TestCloud.start(kms, await freshStore());
    const { ask, operator } = await orgWithAdmin(cloud, kms);
    expect(await ask('POST', '/service-accounts', { name: 'Ticketing' })).toMatchObject({
      status: 403,
      body: { code: 'feature_disabled' },
    });
    await cloud.ask(operator, 'PATCH', '/v1/orgs/acme/plan', { features: ['service-accounts'] });
    expect(await ask('POST', '/service-accounts', { name: 'Ticketing' })).toMatchObject({
      status: 201,
      body: { kind: 'service', email: null },
    });
  });

  test('what a newer version left is not touched', async () => {
    const store = await freshStore();
    const opened = await openStore(store);
    await sql`INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-later', '2030-01-01T00:00:00.000Z')`.execute(opened.db);
    await opened.close();
    await expect(openStore(store)).rejects.toMatchObject({ code: 'store_newer' });
  });

  test('what cannot be written down is not answered as done', async () => {
    const kms = await testKms('software');
    const store = await freshStore();
    const cloud = await TestCloud.start(kms, store);
    const { ask } = await orgWithAdmin(cloud, kms);
    const opened = await openStore(store);
    await sql`ALTER TABLE audit RENAME TO elsewhere`.execute(opened.db);
    expect(await ask('PATCH', '', { name: 'Unseen' })).toMatchObject({ status: 507, body: { code: 'storage_failed' } });
    expect(await ask('GET', '/tenants/none')).toMatchObject({ status: 404 });
    expect(await cloud.ask(undefined, 'GET', '/v1/orgs/acme')).toMatchObject({ status: 507 });
    await sql`ALTER TABLE elsewhere RENAME TO audit`.execute(opened.db);
    await opened.close();
    expect(await ask('PATCH', '', { name: 'Seen' })).toMatchObject({ status: 200 });
  });
});

test('two control planes on one Postgres: what one made the other shows, and an id is given once', async () => {
  const kms = await testKms('software');
  const store = { postgres: await postgres.database() };
  const one = await TestCloud.start(kms, store);
  const two = await TestCloud.start(kms, store);
  const [a, b] = await Promise.all([one.issuer.token(LOCAL_OPERATOR, ''), two.issuer.token(LOCAL_OPERATOR, '')]);
  const answers = await Promise.all([one.ask(a, 'POST', '/v1/orgs', ORG), two.ask(b, 'POST', '/v1/orgs', ORG)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  expect((await two.ask(b, 'GET', '/v1/orgs/acme')).body.name).toBe('Acme Halls');
  expect(await one.ask(await one.issuer.token(newId('user'), ''), 'GET', '/v1/orgs')).toMatchObject({ status: 401 });
});
