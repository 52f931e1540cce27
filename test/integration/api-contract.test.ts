import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SCOPES } from '../../edge/api/schemas/box.ts';
import { ERROR_CODES } from '../../shared/errors/codes.ts';
import { newId } from '../../shared/ids/ids.ts';
import { ANSWERING_CAMERA } from '../helpers/api-box.ts';
import { type Operation, readOperations, validatorOf } from '../helpers/api-operations.ts';
import { almost, arbitraryOf, type Components, type JsonSchema, resolve } from '../helpers/arbitrary-of-schema.ts';
import { LEAK } from '../helpers/leaks.ts';
import { type Person, twoPeople } from '../helpers/people.ts';
import { type Answer, type Asking, startTestApi, type TestApi } from '../helpers/test-api.ts';
import { testSighting } from '../helpers/test-sighting.ts';
import { consentFor, sightingOf } from '../helpers/vault-guests.ts';

let now = Date.now();
let api: TestApi;
let components: Components;
let operations: Operation[];
let person: Person;

beforeAll(async () => {
  api = await startTestApi({ now: () => now });
  ({ operations, components } = await readOperations(api));
  [person] = await twoPeople();
}, 120_000);
afterAll(() => api.stop());

/** Streams have no end to wait for: they are looked at in tests of their own. */
const isStream = ({ path }: Operation): boolean => path.endsWith('/stream') || path.endsWith('/live');

interface Body {
  readonly content: { readonly 'application/json': { readonly schema: JsonSchema } };
}

/** Things in tenant `north` whose ids fill the paths. */
interface Things {
  readonly customerId: string;
  readonly faceId: string;
  readonly sightingId: string;
  readonly keyId: string;
  readonly ids: Readonly<Record<string, string>>;
}

let things = 0;
async function makeThings(): Promise<Things> {
  things += 1;
  const make = async (path: string, asking: Asking): Promise<Record<string, string>> => {
    const { status, body } = await api.ask('POST', `/v1/tenants/north/${path}`, { as: api.admin, ...asking });
    expect(status, path).toBe(201);
    return body as Record<string, string>;
  };
  const { id: customerId = '' } = await make('customers', { json: { name: `Guest ${things}`, consent: consentFor() } });
  const { faceId = '' } = await make(`customers/${customerId}/faces`, { picture: person.toEnrol });
  const sighting = sightingOf(customerId, 'north');
  await api.box.tenants.vault('north').recordSighting(sighting);
  api.box.keepShot('north', sighting.id, person.toShow);
  const { id: keyId = '' } = await make('api-keys', { json: { title: 'key', scopes: ['search'] } });
  const { id: rooms = '' } = await make('rooms', { json: { title: 'Hall' } });
  const { id: events = '' } = await make('events', {
    json: { title: 'Concert', startsAt: '2026-12-12T19:00:00Z', endsAt: '2026-12-12T22:00:00Z', roomId: rooms },
  });
  const { id: attendees = '' } = await make('attendees', { json: { eventId: events, customerId } });
  const { id: watchlists = '' } = await make('watchlists', {
    json: { customerId, purpose: 'greeting', owner: 'Ada', expiresAt: '2026-12-31T00:00:00Z' },
  });
  const { id: cameras = '' } = await make('cameras', { json: { slug: `door-${things}`, url: ANSWERING_CAMERA } });
  const { id: webhooks = '' } = await make('webhooks', { json: { url: 'https://hooks.example.org/' } });
  return { customerId, faceId, sightingId: sighting.id, keyId, ids: { rooms, events, attendees, watchlists, cameras, webhooks } };
}

function fill(path: string, { ids, ...named }: Things, tenant = 'north'): string {
  const kind = /\{tenant\}\/([a-z]+)/.exec(path)?.[1] ?? '';
  const values: Record<string, string> = { ...named, tenant, id: ids[kind] ?? '' };
  return path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => values[name] ?? '');
}

/** A body that makes sense, from the document's own example with ids of things that are there. */
function goodBody({ body, name }: Operation, { customerId, sightingId, ids }: Things): Asking {
  if (body === undefined) return {};
  if (body['image/jpeg'] !== undefined) return { picture: person.toShow };
  const schema = resolve(body['application/json']?.schema ?? {}, components);
  const [example] = schema.examples ?? [];
  if (example === undefined) throw new Error(`${name}: no example`);
  const fields: Record<string, unknown> = { ...(example as object) };
  if ('customerId' in fields) fields.customerId = customerId;
  if ('customerIds' in fields) fields.customerIds = [customerId];
  if ('eventId' in fields) fields.eventId = ids.events;
  if ('sightingId' in fields) fields.sightingId = sightingId;
  if ('token' in fields) fields.token = api.admin;
  if ('consent' in fields) fields.consent = consentFor();
  if ('noticeVersion' in fields) Object.assign(fields, consentFor());
  if ('confirm' in fields) fields.confirm = 'north';
  if ('slug' in fields) fields.slug = `camera-${things}`;
  if (name.endsWith('/cameras/test')) fields.url = ANSWERING_CAMERA;
  return { json: fields };
}

/** An answer is what the document says of the route, or problem details with one of our codes. */
function check({ name, responses }: Operation, { status, headers, body, bytes }: Answer): void {
  const said = responses[status];
  if (said !== undefined) {
    const [type, content] = Object.entries(said.content ?? {})[0] ?? [];
    if (type === undefined) expect(bytes.length, name).toBe(0);
    else expect(headers.get('content-type'), name).toContain(type.split(';')[0]);
    if (type === 'application/json') expect(() => validatorOf(content?.schema ?? {}, components).parse(body), name).not.toThrow();
    return;
  }
  expect(status, `${name}: ${JSON.stringify(body)}`).toBeGreaterThanOrEqual(400);
  expect(headers.get('content-type'), name).toBe('application/problem+json');
  const problem = validatorOf({ $ref: '#/components/schemas/Problem' }, components).parse(body) as { code: string; status: number };
  expect(problem.status).toBe(status);
  expect(ERROR_CODES[problem.code as keyof typeof ERROR_CODES]?.status, problem.code).toBe(status);
}

function withSession(): Record<string, string> {
  return { cookie: `sgs=${api.appliance.sessions.open().session}`, 'sec-fetch-site': 'same-origin' };
}

describe('the document', () => {
  test('names every route of the contract', () => {
    const T = '/v1/tenants/{tenant}';
    const kinds = ['events', 'rooms', 'attendees', 'watchlists'];
    expect(operations.map(({ name, access }) => `${access} ${name}`).toSorted()).toEqual(
      [
        'public GET /healthz',
        'public GET /readyz',
        'public POST /v1/session',
        'admin POST /v1/login-links',
        'session GET /v1/session',
        'session DELETE /v1/session',
        'admin GET /metrics',
        'admin GET /v1/system',
        'live GET /v1/live',
        'sightings:read GET /v1/sightings/stream',
        'admin GET /v1/tenants',
        'admin POST /v1/tenants',
        `admin GET ${T}`,
        `admin PATCH ${T}`,
        'admin GET /v1/leases',
        `admin GET ${T}/lease`,
        `admin PUT ${T}/lease`,
        `admin POST ${T}/lease/requests`,
        `admin POST ${T}/lease/hand-overs`,
        `admin POST ${T}/wipe`,
        `admin GET ${T}/backup`,
        `admin POST ${T}/open`,
        `admin GET ${T}/api-keys`,
        `admin POST ${T}/api-keys`,
        `admin DELETE ${T}/api-keys/{keyId}`,
        `people:read GET ${T}/customers`,
        `people:write POST ${T}/customers`,
        `people:read GET ${T}/customers/{customerId}`,
        `people:write PATCH ${T}/customers/{customerId}`,
        `people:write DELETE ${T}/customers/{customerId}`,
        `people:write GET ${T}/erasures`,
        `people:write POST ${T}/erasures`,
        `admin POST ${T}/erasures/move`,
        `people:write PUT ${T}/customers/{customerId}/consent`,
        `people:write DELETE ${T}/customers/{customerId}/consent`,
        `people:read GET ${T}/customers/{customerId}/faces`,
        `people:write POST ${T}/customers/{customerId}/faces`,
        `people:write POST ${T}/customers/{customerId}/faces/from-sighting`,
        `people:write DELETE ${T}/customers/{customerId}/faces/{faceId}`,
        `people:read GET ${T}/customers/{customerId}/faces/{faceId}/picture`,
        `search POST ${T}/search`,
        `search POST ${T}/customers/{customerId}/verify`,
        `sightings:read GET ${T}/sightings`,
        `sightings:read GET ${T}/sightings/in-view`,
        `sightings:read GET ${T}/sightings/{sightingId}/picture`,
        `people:write POST ${T}/sightings/{sightingId}/hold`,
        ...kinds.flatMap((kind) => [
          `venue:read GET ${T}/${kind}`,
          `venue:write POST ${T}/${kind}`,
          `venue:read GET ${T}/${kind}/{id}`,
          `venue:write PUT ${T}/${kind}/{id}`,
          `venue:write DELETE ${T}/${kind}/{id}`,
        ]),
        ...['GET', 'POST'].map((method) => `webhooks ${method} ${T}/webhooks`),
        ...['GET', 'PUT', 'DELETE'].map((method) => `webhooks ${method} ${T}/webhooks/{id}`),
        `webhooks GET ${T}/webhooks/{id}/dead-letters`,
        `webhooks POST ${T}/webhooks/{id}/dead-letters/redeliver`,
        `cameras:read GET ${T}/cameras`,
        `cameras:write POST ${T}/cameras`,
        `cameras:write POST ${T}/cameras/test`,
        `cameras:read GET ${T}/cameras/{id}`,
        `cameras:write PATCH ${T}/cameras/{id}`,
        `cameras:write DELETE ${T}/cameras/{id}`,
        `usage:read GET ${T}/usage`,
      ].toSorted(),
    );
  });

  test('says how each request looks that sends JSON', () => {
    for (const { name, body } of operations) {
      const schema = body?.['application/json']?.schema;
      if (schema === undefined) continue;
      const [example] = resolve(schema, components).examples ?? [];
      expect(validatorOf(schema, components).safeParse(example).success, name).toBe(true);
    }
  });

  test('says what the receiver of a webhook is sent', async () => {
    const { webhooks } = (await api.ask('GET', '/openapi.json')).body as { webhooks: { sighting: { post: { requestBody: Body } } } };
    const { schema } = webhooks.sighting.post.requestBody.content['application/json'];
    const message = validatorOf(schema, components);
    expect(message.safeParse({ id: 'dlv_1', event: 'sighting', sighting: testSighting() }).success).toBe(true);
    expect(message.safeParse({ id: 'dlv_1', event: 'sighting', sighting: { ...testSighting(), name: 'Ada' } }).success).toBe(false);
  });
});

test('every route does what it says when it is asked properly, and no answer may be cached', async () => {
  for (const operation of operations.filter((entry) => !isStream(entry))) {
    const made = await makeThings();
    const headers = operation.access === 'session' ? withSession() : {};
    const as = operation.access === 'session' ? undefined : api.admin;
    const answer = await api.ask(operation.method, fill(operation.path, made), { as, headers, ...goodBody(operation, made) });
    expect(operation.responses[answer.status], `${operation.name}: ${answer.status} ${JSON.stringify(answer.body)}`).toBeDefined();
    expect(answer.status, operation.name).toBeLessThan(300);
    check(operation, answer);
    expect(answer.headers.get('cache-control'), operation.name).toBe('no-store');
    expect(answer.headers.get('x-request-id'), operation.name).toMatch(/^[0-9a-f-]{36}$/);
  }
}, 300_000);

test('whatever is sent, every answer is one that the document knows', async () => {
  for (const operation of operations.filter((entry) => !isStream(entry))) {
    // Each tenant that is added is a process: a few are enough.
    const numRuns = operation.name === 'POST /v1/tenants' ? 6 : 25;
    const seen = new Set<number>();
    const made = await makeThings();
    const schema = operation.body?.['application/json']?.schema;
    const body: fc.Arbitrary<Asking> =
      schema !== undefined
        ? fc.oneof(arbitraryOf(schema, components), almost(schema, components)).map((json) => ({ json }))
        : operation.body === undefined
          ? fc.constant({})
          : fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ picture: Buffer.from(bytes) }));
    const query = fc.record(
      Object.fromEntries(
        operation.parameters
          .filter((parameter) => parameter.in === 'query')
          .map(({ name, schema: of }) => [name, fc.oneof(arbitraryOf(of, components).map(String), fc.string())]),
      ),
      { requiredKeys: [] },
    );
    const header = fc.record(
      { 'if-match': fc.constantFrom('"1"', '"7"', '*', 'W/"1"', ''), 'idempotency-key': fc.constantFrom('a-key-of-mine', 'x') },
      { requiredKeys: [] },
    );
    const path = fc.oneof(
      { weight: 3, arbitrary: fc.constant(fill(operation.path, made)) },
      {
        weight: 1,
        arbitrary: fc
          .string()
          .map((text) => operation.path.replaceAll(/\{(?!tenant)\w+\}/g, encodeURIComponent(text)).replace('{tenant}', 'north')),
      },
      {
        weight: 1,
        arbitrary: fc.constant(fill(operation.path, { ...made, customerId: newId('customer'), faceId: newId('face') }, 'south')),
      },
      { weight: 1, arbitrary: fc.constant(fill(operation.path, made, 'nowhere')) },
    );
    const property = fc.asyncProperty(path, body, query, header, async (target, asking, values, headers) => {
      const session = operation.access === 'session' ? withSession() : {};
      const search = new URLSearchParams(values as Record<string, string>);
      const as = operation.access === 'session' ? undefined : api.admin;
      const answer = await api.ask(operation.method, `${target}?${search}`, { as, ...asking, headers: { ...headers, ...session } });
      seen.add(answer.status);
      // A camera that does not answer is the one failure outside that a client may be told of.
      if (answer.status >= 500) expect(answer.body).toMatchObject({ code: 'camera_unreachable' });
      if (answer.status >= 400) expect(answer.bytes.toString(), operation.name).not.toMatch(LEAK);
      check(operation, answer);
    });
    await fc.assert(property, { numRuns, seed: 20261121 });
    if (schema !== undefined) expect(seen, operation.name).toContain(400);
  }
}, 300_000);

describe('nobody comes in', () => {
  const guarded = (): Operation[] => operations.filter(({ access }) => access !== 'public');
  const everywhere = async (what: string, statuses: readonly number[], asking: () => Asking, which = guarded()): Promise<void> => {
    const made = await makeThings();
    for (const operation of which) {
      const { status } = await api.ask(operation.method, fill(operation.path, made), { ...goodBody(operation, made), ...asking() });
      expect(statuses, `${operation.name} ${what}`).toContain(status);
    }
  };

  test.each([
    ['without credentials', {}],
    ['with a key that is none', { as: `sgk_live_${'a'.repeat(26)}_${'A'.repeat(43)}` }],
    ['with another admin token', { as: `sga_${'A'.repeat(43)}` }],
    ['with something else', { as: 'letmein' }],
    ['with another scheme', { headers: { authorization: 'Basic YWRtaW46YWRtaW4=' } }],
    ['with a made-up cookie', { headers: { cookie: `sgs=${'A'.repeat(43)}`, 'sec-fetch-site': 'same-origin' } }],
  ] satisfies [string, Asking][])('%s', (what, asking) => everywhere(what, [401], () => asking));

  test('with a key whose secret is another key’s', () => {
    const key = `${api.key('north').split('_').slice(0, 3).join('_')}_${'B'.repeat(43)}`;
    return everywhere('with a wrong secret', [401], () => ({ as: key }));
  });

  test('with an expired key', async () => {
    const key = api.key('north', undefined, now + 1000);
    expect((await api.ask('GET', '/v1/tenants/north/customers', { as: key })).status).toBe(200);
    now += 1000;
    await everywhere('expired', [401], () => ({ as: key }));
  });

  test('with a revoked key', async () => {
    const key = api.key('north');
    const keyId = `key_${key.split('_')[2]}`;
    expect((await api.ask('DELETE', `/v1/tenants/north/api-keys/${keyId}`, { as: api.admin })).status).toBe(204);
    await everywhere('revoked', [401], () => ({ as: key }));
  });

  test('with a session that is over', async () => {
    const headers = withSession();
    now += 12 * 3_600_000;
    await everywhere('session over', [401], () => ({ headers }));
  });

  test('with the key of another tenant, or of one that is not there', async () => {
    const south = api.key('south');
    await everywhere('of another tenant', [403], () => ({ as: south }));
    const made = await makeThings();
    for (const operation of guarded().filter(({ path }) => path.includes('{tenant}'))) {
      const { status } = await api.ask(operation.method, fill(operation.path, made, 'nowhere'), {
        as: south,
        ...goodBody(operation, made),
      });
      expect(status, operation.name).toBe(403);
    }
  });

  test('with a key that lacks the scope, while the scope alone is enough', async () => {
    for (const scope of SCOPES) {
      const others = api.key(
        'north',
        SCOPES.filter((other) => other !== scope),
      );
      const alone = api.key('north', [scope]);
      const asking = operations.filter(({ access }) => access === scope);
      expect(asking.length, scope).toBeGreaterThan(0);
      await everywhere(`without ${scope}`, [403], () => ({ as: others }), asking);
      for (const operation of asking.filter((entry) => !isStream(entry))) {
        const made = await makeThings();
        const { status } = await api.ask(operation.method, fill(operation.path, made), { as: alone, ...goodBody(operation, made) });
        expect(status, `${operation.name} with ${scope}`).toBeLessThan(300);
      }
    }
  }, 120_000);

  test('to what is the admin’s alone with any key', () =>
    everywhere(
      'with a key',
      [403],
      () => ({ as: api.key('north') }),
      guarded().filter(({ access }) => ['admin', 'session'].includes(access)),
    ));
});
