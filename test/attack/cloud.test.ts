import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { OPERATIONS } from '../../cloud/iam/operations.ts';
import { ROLES, type Role } from '../../cloud/iam/roles.ts';
import type { Operation } from '../helpers/api-operations.ts';
import { CloudPlace, fill, type TestAccount } from '../helpers/cloud-place.ts';

/** What anybody may ask. */
const OPEN = [
  'GET /healthz',
  'GET /readyz',
  'GET /v1/lease-keys',
  'GET /v1/receipt-keys',
  'GET /v1/audit/heads/latest',
  'GET /v1/audit/forks',
  'GET /v1/audit/proofs/inclusion',
  'GET /v1/audit/proofs/consistency',
  'GET /v1/audit/tiles/{level}/{number}',
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** There is no org of this name. */
const NOWHERE = 'nowhere';

/** Ways to write `ours` that a proxy, a router or a decoder could understand otherwise than a guard. */
const ODD_PATHS = [
  '/v1/orgs/theirs/../ours',
  '/v1/orgs/theirs/%2e%2e/ours',
  '/v1/orgs/theirs%2f..%2fours',
  '/v1/orgs/theirs;/ours',
  '/v1/orgs/theirs/tenants/../../ours',
  '//v1/orgs/ours',
  '/v1//orgs/ours',
  '/./v1/orgs/ours',
  '/V1/orgs/ours',
  '/v1/orgs/OURS',
  '/v1/orgs/ours/',
  '/v1/orgs/ours%00',
  '/v1/orgs/ours%20',
  '/v1/orgs/ours?org=theirs',
  '/v1/orgs/ours#theirs',
  '/v1/orgs/ours\\..\\theirs',
  '/v1/orgs/%6furs',
  '/v1/orgs/%256furs',
  '/v1/orgs/ours/tenants?org=theirs&org=ours',
  'http://127.0.0.1/v1/orgs/ours',
  '*',
];

interface Actor extends Partial<TestAccount> {
  readonly who: string;
  readonly role?: Role;
  /** '' for the platform. */
  readonly org?: string;
  readonly tenant?: string;
}

/** Somebody of every role in every place, somebody without a role, and nobody. */
async function everybody(place: CloudPlace): Promise<Actor[]> {
  const actors: Actor[] = [{ who: 'nobody' }];
  for (const org of ['ours', 'theirs']) actors.push({ who: `somebody of ${org} without a role`, org, ...(await place.account(org)) });
  for (const [role, { reach }] of Object.entries(ROLES) as [Role, { reach: readonly string[] }][]) {
    const places: (readonly [string, string?])[] = [
      ...(reach.includes('platform') ? ([['']] as const) : []),
      ...(reach.includes('org') ? ([['ours'], ['theirs']] as const) : []),
      ...(reach.includes('tenant') ? ([['ours', 'hall'], ['ours', 'club'], ['theirs', 'hall']] as const) : []), // biome-ignore format: one line each
    ];
    for (const [org, tenant] of places) {
      const who = `${role} of ${tenant === undefined ? org || 'the platform' : `${tenant} of ${org}`}`;
      actors.push({ who, role, org, ...(tenant === undefined ? {} : { tenant }), ...(await place.account(org, role, tenant)) });
    }
  }
  return actors;
}

/** Whether the table lets somebody do something about `hall` of `ours`, said in other words than the product says it. */
function isLetIn({ role, org, tenant }: Actor, { roles, path, operation }: Operation): boolean {
  if (role === undefined || !roles.includes(role)) return false;
  if (org === '') return true;
  const platformOnly = operation === 'orgs.change-plan' || operation === 'orgs.name-first-admin' || !path.includes('{org}');
  if (platformOnly || org !== 'ours') return false;
  return tenant === undefined || (path.includes('{tenant}') && tenant === 'hall');
}

describe('who may do what', () => {
  test('every route is a row of the table, every row is a route, and none is hidden from the document', async () => {
    const { operations, guarded } = await CloudPlace.make();
    expect(guarded.map(({ operation }) => operation).sort()).toEqual(Object.keys(OPERATIONS).sort());
    expect(operations.filter((route) => !guarded.includes(route)).map(({ name }) => name)).toEqual(OPEN);
    const folder = join(import.meta.dirname, '../../cloud/http');
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const hidden = sources.flatMap((name) => readFileSync(join(folder, name), 'utf8').match(/.*\bhide: .*/g) ?? []);
    expect(hidden.map((line) => /'(\/[^']*)'/.exec(line)?.[1])).toEqual(['/metrics', '/openapi.json']);
  });

  test('every route as everybody: whom the table does not name is refused and written down, and nothing is changed', async () => {
    const place = await CloudPlace.make();
    const victim = await place.account('ours', 'reviewer');
    const actors = await everybody(place);
    const before = await place.content();
    const attacked = new Map<string, Set<string>>();
    for (const route of place.guarded) {
      const body = place.body(route);
      for (const actor of actors.filter((each) => !isLetIn(each, route))) {
        const what = `${actor.who} asks ${route.name}`;
        const { status, body: answer } = await place.cloud.ask(actor.token, route.method, fill(route.path, victim), body);
        expect([status, answer.code], what).toEqual(actor.token === undefined ? [401, 'unauthenticated'] : [403, 'forbidden']);
        expect(await place.lastAudit(), what).toMatchObject({
          actor: actor.id ?? '',
          operation: route.operation,
          outcome: answer.code,
          org: route.path.includes('{org}') ? 'ours' : '',
        });
        // The same words, so that nobody learns which orgs there are.
        const { body: elsewhere } = await place.cloud.ask(actor.token, route.method, fill(route.path, { ...victim, org: NOWHERE }), body);
        if (actor.org !== '') expect({ ...elsewhere, requestId: '' }, what).toEqual({ ...answer, requestId: '' });
        attacked.set(route.name, (attacked.get(route.name) ?? new Set()).add(actor.who));
      }
      expect(await place.content(), `after ${route.name}`).toBe(before);
    }
    for (const { name } of place.operations.filter((route) => !OPEN.includes(route.name))) {
      expect([...(attacked.get(name) ?? [])], name).toEqual(
        expect.arrayContaining(['nobody', 'org:admin of theirs', 'tenant:admin of club of ours', 'customer of hall of ours']),
      );
    }
  }, 300_000);

  test('whom the table names is let in', async () => {
    const place = await CloudPlace.make();
    const victim = await place.account('ours', 'reviewer');
    for (const route of place.guarded) {
      for (const actor of (await everybody(place)).filter((each) => isLetIn(each, route))) {
        const { body } = await place.cloud.ask(actor.token, route.method, fill(route.path, victim), place.body(route));
        expect(['unauthenticated', 'forbidden'], `${actor.who} asks ${route.name}`).not.toContain(body?.code);
      }
    }
  }, 60_000);

  test('a method that the document does not name is none', async () => {
    const place = await CloudPlace.make();
    const { id, token } = await place.account('ours', 'org:admin');
    const before = await place.content();
    for (const path of new Set(place.operations.map((route) => route.path))) {
      const known = place.operations.filter((route) => route.path === path).map(({ method }) => method);
      for (const method of METHODS.filter((each) => !known.includes(each))) {
        expect((await raw(place, method, fill(path, { id }), token)).status, `${method} ${path}`).toBe(404);
      }
    }
    expect(await place.content()).toBe(before);
  });

  test('an admin of one org reaches nothing of another by the writing of a path', async () => {
    const place = await CloudPlace.make();
    const { token } = await place.account('theirs', 'org:admin');
    const own = await raw(place, 'GET', '/v1/orgs/theirs/tenants/hall?org=ours', token);
    expect([own.status, JSON.parse(own.body).org]).toEqual([200, 'theirs']);
    for (const path of ODD_PATHS) {
      const { status, body } = await raw(place, 'GET', path, token);
      expect([400, 403, 404], `${path}: ${body}`).toContain(status);
    }
  });

  test('an operator of the platform makes himself no more than he is', async () => {
    const place = await CloudPlace.make();
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
    const place = await CloudPlace.make();
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

/** Asks for a path as it stands: `fetch` would tidy it. */
async function raw(place: CloudPlace, method: string, path: string, token: string): Promise<{ status: number; body: string }> {
  const { port } = new URL(place.cloud.url);
  const asking = request({ host: '127.0.0.1', port, method, path, headers: { authorization: `Bearer ${token}` } });
  asking.end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, body: await text(answer) };
}
