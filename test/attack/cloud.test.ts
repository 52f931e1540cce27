import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { UnsecuredJWT } from 'jose';
import { sql } from 'kysely';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { OPERATIONS } from '../../cloud/iam/operations.ts';
import { People } from '../../cloud/iam/people.ts';
import { ROLES, type Role } from '../../cloud/iam/roles.ts';
import { openStore, type Store, type StoreAddress } from '../../cloud/store/open-store.ts';
import { newId } from '../../shared/ids/ids.ts';
import { almost, arbitraryOf, type Components, type JsonSchema } from '../helpers/arbitrary-of-schema.ts';
import { pinAdmins, TestCloud } from '../helpers/cloud.ts';
import { testKms } from '../helpers/kms.ts';
import { startPostgres } from '../helpers/postgres.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const TABLES = ['orgs', 'tenants', 'hostnames', 'principals', 'grants', 'idempotency'] as const;

interface Route {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: string | undefined;
  readonly roles: readonly string[];
}

/** A control plane with two orgs, `ours` and `theirs`, of two tenants each, `hall` and `club`. */
class Place {
  readonly cloud: TestCloud;
  readonly store: Store;
  readonly people: People;

  private constructor(cloud: TestCloud, store: Store) {
    this.cloud = cloud;
    this.store = store;
    this.people = new People(store.db, Date.now);
  }

  static async make(address?: StoreAddress): Promise<Place> {
    const kms = await testKms('software');
    const where = address ?? { file: join(await tempFolder(), 'cloud.db') };
    const cloud = await TestCloud.start(kms, where);
    const store = await openStore(where);
    onTestFinished(() => store.close());
    const place = new Place(cloud, store);
    const operator = await cloud.issuer.token(LOCAL_OPERATOR, '');
    for (const org of ['ours', 'theirs']) {
      await pinAdmins(kms, org);
      const fields = { id: org, name: org, jurisdiction: 'CH', features: ['service-accounts'] };
      expect((await cloud.ask(operator, 'POST', '/v1/orgs', fields)).status).toBe(201);
      const { token } = await place.account(org, 'org:admin');
      for (const id of ['hall', 'club']) {
        expect((await cloud.ask(token, 'POST', `/v1/orgs/${org}/tenants`, { id, name: id })).status).toBe(201);
      }
    }
    return place;
  }

  /** An account with this role alone. `org` is '' for one of the platform. */
  async account(org: string, role: Role, tenant?: string): Promise<{ id: string; token: string }> {
    const id = newId('user');
    const given = tenant === undefined ? { role } : { role, tenant };
    await this.people.create(org, id, { kind: 'user', name: role, email: `${id}@x.example` }, [given]);
    return { id, token: await this.cloud.issuer.token(id, org) };
  }

  async routes(): Promise<Route[]> {
    const { body } = await this.cloud.ask(undefined, 'GET', '/openapi.json');
    const paths = Object.entries(body.paths as Record<string, Record<string, { 'x-operation'?: string; 'x-roles'?: string[] }>>);
    return paths.flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, told]) => ({
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        operation: told['x-operation'],
        roles: told['x-roles'] ?? [],
      })),
    );
  }

  /** All that is there but the log of what was tried. */
  async content(): Promise<string> {
    const tables = await Promise.all(TABLES.map((table) => this.store.db.selectFrom(table).selectAll().execute()));
    return JSON.stringify(tables);
  }
}

/** The path with somebody of `ours` in it. */
function fill(path: string, ids: { user: string; tenant?: string }): string {
  const values: Record<string, string> = { org: 'ours', tenant: ids.tenant ?? 'hall', id: ids.user, role: 'operator' };
  return path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => values[name] ?? `no-value-for-${name}`);
}

const bodyOf = ({ method }: Route): object | undefined => (method === 'GET' || method === 'DELETE' ? undefined : { name: 'Taken over' });

describe('who may do what', () => {
  test('every route is a row of the table, and every row is a route', async () => {
    const place = await Place.make();
    const routes = (await place.routes()).filter(({ path }) => !['/healthz', '/readyz', '/v1/lease-keys'].includes(path));
    expect(routes.map(({ operation }) => operation).sort()).toEqual(Object.keys(OPERATIONS).sort());
  });

  test('every route as every role of every place: what the table does not name is refused, and nothing is changed', async () => {
    const place = await Place.make();
    const routes = (await place.routes()).filter(({ operation }) => operation !== undefined);
    const victim = await place.account('ours', 'reviewer');
    const actors: { who: string; token: string | undefined; role?: Role; org?: string; tenant?: string }[] = [
      { who: 'nobody', token: undefined },
    ];
    for (const [role, { reach }] of Object.entries(ROLES) as [Role, { reach: readonly string[] }][]) {
      for (const org of reach.includes('org') ? ['ours', 'theirs'] : []) {
        actors.push({ who: `${role} of ${org}`, role, org, ...(await place.account(org, role)) });
      }
      for (const [org, tenant] of reach.includes('tenant')
        ? ([
            ['ours', 'hall'],
            ['ours', 'club'],
            ['theirs', 'hall'],
          ] as const)
        : []) {
        actors.push({ who: `${role} of ${tenant} of ${org}`, role, org, tenant, ...(await place.account(org, role, tenant)) });
      }
      if (reach.includes('platform')) actors.push({ who: `${role} of the platform`, role, org: '', ...(await place.account('', role)) });
    }
    let refused = 0;
    for (const actor of actors) {
      for (const route of routes) {
        const aboutTenant = route.path.includes('{tenant}');
        const aboutOrg = route.path.includes('{org}');
        const named = actor.role !== undefined && route.roles.includes(actor.role);
        const own =
          actor.org === '' ||
          (aboutOrg && actor.org === 'ours' && (actor.tenant === undefined || (aboutTenant && actor.tenant === 'hall')));
        const platformOnly = route.operation === 'orgs.change-plan' || route.operation === 'orgs.name-first-admin';
        if (named && own && !(platformOnly && actor.org !== '')) continue;
        const before = await place.content();
        const { status } = await place.cloud.ask(actor.token, route.method, fill(route.path, { user: victim.id }), bodyOf(route));
        expect([401, 403], `${actor.who} asks ${route.name}: ${status}`).toContain(status);
        expect(await place.content(), `${actor.who} asks ${route.name}`).toBe(before);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(300);
  }, 120_000);

  test('whom the table names is let in', async () => {
    const place = await Place.make();
    const victim = await place.account('ours', 'reviewer');
    for (const route of await place.routes()) {
      for (const role of route.roles as Role[]) {
        const { reach } = ROLES[role];
        const org = (reach as readonly string[]).includes('org') && route.path.includes('{org}') ? 'ours' : '';
        if (org === '' && !(reach as readonly string[]).includes('platform')) continue;
        const { token } = await place.account(org, role);
        const { status } = await place.cloud.ask(token, route.method, fill(route.path, { user: victim.id }), bodyOf(route));
        expect([401, 403], `${role} asks ${route.name}: ${status}`).not.toContain(status);
      }
    }
  }, 60_000);

  test('an operator of the platform makes himself no more than he is', async () => {
    const place = await Place.make();
    const { id, token } = await place.account('', 'platform:operator');
    const { email } = await place.people.get('', id);
    await place.cloud.ask(token, 'POST', '/v1/orgs', { id: 'fresh', name: 'Fresh', jurisdiction: 'CH' });
    const ask = (path: string, body: object) => place.cloud.ask(token, 'POST', path, body);
    expect(await ask('/v1/orgs/fresh/first-admin', { name: 'Me', email })).toMatchObject({ status: 409 });
    expect(await ask('/v1/orgs/ours/first-admin', { name: 'Me', email: 'me@x.example' })).toMatchObject({ status: 409 });
    expect(await ask(`/v1/orgs/ours/users/${id}/roles`, { role: 'org:admin' })).toMatchObject({ status: 403 });
    expect(await ask('/v1/orgs/ours/users', { name: 'Me', email: 'me@x.example', roles: [{ role: 'org:admin' }] })).toMatchObject({
      status: 403,
    });
  });

  test('an admin of one org reaches nobody of another by an id', async () => {
    const place = await Place.make();
    const { token } = await place.account('ours', 'org:admin');
    const theirs = await place.account('theirs', 'operator');
    for (const [method, path, body] of [
      ['GET', `/v1/orgs/ours/users/${theirs.id}`, undefined],
      ['PATCH', `/v1/orgs/ours/users/${theirs.id}`, { active: false }],
      ['POST', `/v1/orgs/ours/users/${theirs.id}/roles`, { role: 'org:admin' }],
      ['DELETE', `/v1/orgs/ours/users/${theirs.id}/roles/operator`, undefined],
    ] as const) {
      expect(await place.cloud.ask(token, method, path, body)).toMatchObject({ status: 404, body: { code: 'principal_not_found' } });
    }
    expect((await place.people.get('theirs', theirs.id)).roles).toEqual([{ role: 'operator' }]);
  });
});

describe('access tokens', () => {
  let stranger: KeyObject;
  beforeAll(() => {
    stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  });

  test('that are forged, of elsewhere, too old or not yet, or of another kind, count for nothing', async () => {
    const { cloud, account } = await Place.make().then((place) => ({ cloud: place.cloud, account: place.account.bind(place) }));
    const { id, token } = await account('ours', 'org:admin');
    const { issuer } = cloud;
    const status = async (tried: string): Promise<number> => (await cloud.ask(tried, 'GET', '/v1/orgs/ours')).status;
    expect(await status(token)).toBe(200);
    const now = Math.floor(Date.now() / 1000);
    const secret = Buffer.from(JSON.stringify(issuer.jwk));
    const strangersJwk = { kty: 'EC', crv: 'P-256', ...issuer.jwk };
    const tries: Record<string, string> = {
      'without a signature': new UnsecuredJWT({
        iss: issuer.issuer,
        aud: 'securegate-cloud',
        sub: id,
        owner: 'ours',
        iat: now,
        exp: now + 300,
      }).encode(),
      'by the public key as a secret (HS256)': await issuer.token(id, 'ours', {}, { alg: 'HS256' }, secret),
      'by another key': await issuer.token(id, 'ours', {}, {}, stranger),
      'with a key of its own': await issuer.token(id, 'ours', {}, { jwk: strangersJwk }, stranger),
      'with an address of keys': await issuer.token(id, 'ours', {}, { jku: 'http://127.0.0.1/keys' }, stranger),
      'with a path as its key id': await issuer.token(id, 'ours', {}, { kid: '../../../../dev/null' }, stranger),
      'with SQL as its key id': await issuer.token(id, 'ours', {}, { kid: "' OR 1=1 --" }, stranger),
      'of another issuer': await issuer.token(id, 'ours', { iss: 'https://evil.example' }),
      'for somebody else': await issuer.token(id, 'ours', { aud: 'securegate-box' }),
      'of another kind': await issuer.token(id, 'ours', {}, { typ: 'JWT' }),
      'that has ended': await issuer.token(id, 'ours', { iat: now - 500, exp: now - 60 }),
      'that lives too long': await issuer.token(id, 'ours', { iat: now - 3600, exp: now + 3600 }),
      'of the future': await issuer.token(id, 'ours', { iat: now + 3600, exp: now + 7200 }),
      'without an end': await issuer.token(id, 'ours', { exp: undefined }),
      'without an owner': await issuer.token(id, 'ours', { owner: undefined }),
      'with another owner': await issuer.token(id, 'theirs'),
      'of the platform': await issuer.token(id, ''),
      'of nobody': await issuer.token(newId('user'), 'ours'),
      'of an id that is none': await issuer.token("usr_' OR 1=1 --", 'ours'),
    };
    for (const [what, tried] of Object.entries(tries)) expect(await status(tried), what).toBe(401);
  });

  test('of an account that was closed count no more, and a role that was taken is gone at once', async () => {
    const place = await Place.make();
    const { id, token } = await place.account('ours', 'auditor');
    const status = async (): Promise<number> => (await place.cloud.ask(token, 'GET', '/v1/orgs/ours')).status;
    expect(await status()).toBe(200);
    await place.people.takeRole('ours', id, { role: 'auditor' });
    expect(await status()).toBe(403);
    await place.people.giveRole('ours', id, { role: 'auditor' });
    await place.people.change('ours', id, { active: false });
    expect(await status()).toBe(401);
  });
});

/** An empty database in a Postgres that ends with the test. */
async function freshPostgres(): Promise<string> {
  const postgres = await startPostgres();
  onTestFinished(() => postgres.stop());
  return await postgres.database();
}

describe('what comes in', () => {
  test('more than the schema names is refused: no field is taken over from a body', async () => {
    const place = await Place.make();
    const { token } = await place.account('ours', 'org:admin');
    const ask = (method: string, path: string, body: object) => place.cloud.ask(token, method, `/v1/orgs/ours${path}`, body);
    for (const body of [
      { name: 'x', plan: 'enterprise' },
      { features: ['signing'] },
      { id: 'theirs' },
      { version: 99 },
      { name: { $ne: null } },
      JSON.parse('{"name":"x","__proto__":{"plan":"enterprise"}}') as object,
      { constructor: { prototype: { admin: true } } },
    ]) {
      expect(await ask('PATCH', '', body), JSON.stringify(body)).toMatchObject({ status: 400 });
    }
    expect(await ask('POST', '/tenants', { id: 'new', name: 'new', org: 'theirs' })).toMatchObject({ status: 400 });
    expect(await ask('POST', '/tenants', { id: 'new', name: 'new', state: 'active' })).toMatchObject({ status: 400 });
    expect(await ask('POST', '/users', { name: 'x', email: 'x@x.example', active: true })).toMatchObject({ status: 400 });
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test.each(['SQLite', 'Postgres'])(
    'whatever is sent, the control plane on %s answers and nothing fails inside it',
    async (database) => {
      const place = await Place.make(database === 'Postgres' ? { postgres: await freshPostgres() } : undefined);
      const [operator, admin] = [await place.account('', 'platform:operator'), await place.account('ours', 'org:admin')];
      const { body: document } = await place.cloud.ask(undefined, 'GET', '/openapi.json');
      const components = document.components.schemas as Components;
      const failed: string[] = [];
      for (const route of await place.routes()) {
        const told = document.paths[route.path][route.method.toLowerCase()];
        const schema = told.requestBody?.content['application/json'].schema as JsonSchema | undefined;
        const body = schema === undefined ? fc.constant(undefined) : fc.oneof(arbitraryOf(schema, components), almost(schema, components));
        const query = ((told.parameters ?? []) as { in: string; name: string; schema: JsonSchema }[]).filter((one) => one.in === 'query');
        const fields = query.map(({ name, schema: of }) => [name, fc.oneof(arbitraryOf(of, components).map(String), fc.string())] as const);
        const token = route.roles.includes('org:admin') ? admin.token : operator.token;
        await fc.assert(
          fc.asyncProperty(body, fc.record(Object.fromEntries(fields), { requiredKeys: [] }), fc.string(), async (sent, asked, text) => {
            const path = route.path
              .replace('{id}', admin.id)
              .replace('{role}', 'reviewer')
              .replaceAll(/\{tenant\}/g, encodeURIComponent(text || 'hall'));
            const address = `${path.replace('{org}', 'ours')}?${new URLSearchParams(asked as Record<string, string>)}`;
            const { status } = await place.cloud.ask(token, route.method, address, sent as object | undefined, { 'if-match': '"1"' });
            if (status >= 500) failed.push(`${route.name}: ${status} for ${JSON.stringify(sent)} ${address}`);
          }),
          { numRuns: 25 },
        );
      }
      expect(failed).toEqual([]);
    },
    120_000,
  );

  test('control characters, which Postgres does not take, come no further than the schema', async () => {
    const place = await Place.make({ postgres: await freshPostgres() });
    const { token } = await place.account('ours', 'org:admin');
    const ask = (method: string, path: string, body?: object) => place.cloud.ask(token, method, `/v1/orgs/ours${path}`, body);
    expect(await ask('PATCH', '', { name: 'a\u0000b' })).toMatchObject({ status: 400 });
    expect(await ask('POST', '/users', { name: 'a\u0000b', email: 'a@x.example' })).toMatchObject({ status: 400 });
    expect(await ask('GET', '/tenants?cursor=%00')).toMatchObject({ status: 400 });
    expect(await ask('PATCH', '/tenants/%00', { name: 'x' })).toMatchObject({ status: 400 });
    expect(await ask('PATCH', '/users/%00', { name: 'x' })).toMatchObject({ status: 400 });
  });

  test('SQL in any text is text', async () => {
    const place = await Place.make();
    const { token } = await place.account('ours', 'org:admin');
    const evil = `x'); DROP TABLE orgs; --`;
    const renamed = await place.cloud.ask(token, 'PATCH', '/v1/orgs/ours', { name: evil });
    expect(renamed).toMatchObject({ status: 200, body: { name: evil } });
    expect(await place.cloud.ask(token, 'GET', `/v1/orgs/ours/tenants?cursor=${encodeURIComponent(evil)}`)).toMatchObject({ status: 200 });
    expect(await place.cloud.ask(token, 'GET', `/v1/orgs/${encodeURIComponent(evil)}/tenants`)).toMatchObject({ status: 403 });
    expect((await sql<{ n: number }>`SELECT count(*) AS n FROM orgs`.execute(place.store.db)).rows).toEqual([{ n: 2 }]);
  });

  test("another account's idempotency key is nobody's business", async () => {
    const place = await Place.make();
    const [one, two] = [await place.account('ours', 'org:admin'), await place.account('theirs', 'org:admin')];
    const key = { 'idempotency-key': 'the-same-key-of-two' };
    const mine = await place.cloud.ask(one.token, 'POST', '/v1/orgs/ours/users', { name: 'A', email: 'a@x.example' }, key);
    const other = await place.cloud.ask(two.token, 'POST', '/v1/orgs/theirs/users', { name: 'A', email: 'a@x.example' }, key);
    expect([mine.status, other.status]).toEqual([201, 201]);
    expect(other.body.id).not.toBe(mine.body.id);
  });

  test('of two changes on the same version one is made', async () => {
    const place = await Place.make();
    const { token } = await place.account('ours', 'org:admin');
    const answers = await Promise.all(
      ['East', 'West', 'North'].map((name) =>
        place.cloud.ask(token, 'PATCH', '/v1/orgs/ours/tenants/hall', { name }, { 'if-match': '"1"' }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412]);
  });
});
