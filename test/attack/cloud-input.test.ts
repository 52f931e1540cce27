import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoreAddress } from '../../cloud/store/open-store.ts';
import type { Operation } from '../helpers/api-operations.ts';
import { almost, arbitraryOf, type JsonSchema, resolve } from '../helpers/arbitrary-of-schema.ts';
import type { Answer } from '../helpers/cloud.ts';
import { CloudPlace, fill } from '../helpers/cloud-place.ts';
import { isObject, placesOf, textWith, withFields } from '../helpers/in-json.ts';
import { LEAK } from '../helpers/leaks.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';

/** Another one finds other values; what it found can be seen again with it. */
const SEED = Number(process.env.FUZZ_SEED ?? 20261122);

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres.stop());

const address = async (database: string): Promise<StoreAddress | undefined> =>
  database === 'Postgres' ? { postgres: await postgres.database() } : undefined;

/** Texts that mean something to SQL, C, HTTP, templates, file systems or Unicode, each as it would stand in JSON. */
const HOSTILE = [
  `"x'); DROP TABLE orgs; --"`,
  `"' OR '1'='1"`,
  `"ours' UNION SELECT 1, 2, 3 --"`,
  `"1; SELECT pg_sleep(10)"`,
  `"$1"`,
  `"?"`,
  `"%"`,
  `"\\\\"`,
  '"\\u0000"',
  '"ours\\u0000theirs"',
  '"\\r\\nX-Evil: 1"',
  '"\\u001b[2J"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\ufeffours"',
  '"\\u202eours"',
  '"ｏｕｒｓ"',
  '"OURS\\u0130"',
  '"../../../etc/passwd"',
  '"{{7*7}}<%= 7*7 %>"',
  '"<script>alert(1)</script>"',
  '"__proto__"',
  '"constructor"',
  '""',
  '" "',
  `"${'a'.repeat(100_000)}"`,
  'null',
  '{"$ne":null}',
  '["ours"]',
  '1e999',
  '-0',
];
/** The same as a part of an address, and what only an address can hold. */
const IN_ADDRESSES = [
  ...HOSTILE.filter((text) => text.startsWith('"') && !text.includes('\\ud') && text.length < 1000).map((text) =>
    encodeURIComponent(JSON.parse(text) as string),
  ),
  '%ED%A0%80',
  '%ff',
  '%',
  '%u0000',
  'a%2fb',
];
/** Of those, what a header can hold. */
const IN_HEADERS = [
  "x'); DROP TABLE orgs; --",
  "' OR '1'='1",
  '$1',
  '"1" OR 1=1',
  '\u00ff\u00fe',
  '__proto__',
  'a'.repeat(4000),
  '"1"\t"2"',
  'W/"1"',
];

const POLLUTION = [
  ['__proto__', '{"polluted":true}'],
  ['constructor', '{"prototype":{"polluted":true}}'],
] as const;

/** Nothing failed inside, and nothing of the inside is told. */
function check({ status, body }: Answer, what: string): void {
  expect(status, `${what}: ${JSON.stringify(body)}`).toBeLessThan(500);
  expect(JSON.stringify(body) ?? '', what).not.toMatch(LEAK);
}

describe('fields that nobody declared', () => {
  test('the document declares every field of every body, down to the last object', async () => {
    const { operations, components } = await CloudPlace.make();
    const open: string[] = [];
    const visit = (given: JsonSchema, where: string): void => {
      const schema = resolve(given, components);
      const isAnything =
        schema.type === undefined && [schema.anyOf, schema.oneOf, schema.enum, schema.const].every((part) => part === undefined);
      if (isAnything || (schema.type === 'object' && schema.additionalProperties !== false)) open.push(where);
      for (const [name, part] of Object.entries(schema.properties ?? {})) visit(part, `${where}.${name}`);
      if (schema.items !== undefined) visit(schema.items, `${where}[]`);
      for (const part of schema.anyOf ?? schema.oneOf ?? []) visit(part, where);
    };
    const bodies = operations.filter(({ body }) => body !== undefined);
    for (const { name, body } of bodies) visit(body?.['application/json']?.schema ?? {}, name);
    expect(open).toEqual([]);
    expect(bodies.length).toBeGreaterThan(8);
  });

  test('are refused in every object of every body, under every name that means something elsewhere', async () => {
    const place = await CloudPlace.make();
    const masters = await place.masters();
    const known = Object.values(place.components).flatMap(({ properties = {} }) => Object.keys(properties));
    const names = new Set([...known, 'admin', 'owner', 'tenant', 'created_at', 'key_policy', 'toString', '$where', '']);
    const account = await place.account('ours', 'operator');
    let refused = 0;
    for (const route of place.guarded.filter(({ body }) => body !== undefined)) {
      const body = place.body(route);
      const declared = JSON.stringify(place.schemaOf(route));
      const before = await place.content();
      for (const at of placesOf(body, isObject)) {
        const foreign = [...names].filter((name) => !declared.includes(`"${name}"`));
        const text = textWith(body, at, (object) =>
          withFields(
            object,
            foreign.map((name) => [name, '"ours"']),
          ),
        );
        const answer = await place.cloud.ask(masters(route).token, route.method, fill(route.path, account), text);
        expect([answer.status, answer.body.code], `${route.name} ${text}`).toEqual([400, 'invalid_request']);
        const { message } = (answer.body.details.fields as { message: string }[]).find((field) => field.message.startsWith('Unrec')) ?? {};
        expect(message, `${route.name} ${text}`).toBe(`Unrecognized keys: ${foreign.map((name) => `"${name}"`).join(', ')}`);
        refused += foreign.length;
      }
      expect(await place.content(), route.name).toBe(before);
    }
    expect(refused).toBeGreaterThan(400);
  }, 60_000);

  test('reach no prototype, in a body, an address or a header', async () => {
    const place = await CloudPlace.make();
    const masters = await place.masters();
    const account = await place.account('ours', 'operator');
    const before = await place.content();
    for (const route of place.guarded) {
      const body = place.body(route);
      for (const at of placesOf(body, isObject)) {
        for (const [name, value] of POLLUTION) {
          const text = textWith(body, at, (object) => withFields(object, [[name, value]]));
          const answer = await place.cloud.ask(masters(route).token, route.method, fill(route.path, account), text);
          expect([answer.status, answer.body.code], `${route.name} ${text}`).toEqual([400, 'invalid_request']);
        }
      }
    }
    expect(await place.content()).toBe(before);
    for (const route of place.guarded.filter(({ method }) => method === 'GET')) {
      const path = fill(route.path, account);
      const ask = (target: string, headers?: Record<string, string>) =>
        place.cloud.ask(masters(route).token, 'GET', target, undefined, headers);
      const query = '__proto__[polluted]=true&__proto__.polluted=true&constructor[prototype][polluted]=true&__proto__=true';
      check(await ask(`${path}?${query}`), `${route.name} by query`);
      check(await ask(path, { ['__proto__']: 'x', constructor: 'x' }), `${route.name} by header`);
      check(await ask(path.replaceAll(/hall|ours/g, '__proto__')), `${route.name} by path`);
    }
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  }, 60_000);
});

describe.each(['SQLite', 'Postgres'])('on %s', (database) => {
  test('SQL, control characters and odd Unicode in every text of every body are text, or refused', async () => {
    const place = await CloudPlace.make(await address(database));
    const masters = await place.masters();
    const account = await place.account('ours', 'operator');
    const tables = (await place.store.db.introspection.getTables()).length;
    for (const route of place.guarded.filter(({ body }) => body !== undefined)) {
      const body = place.body(route);
      // Of a list, one item stands for all.
      const texts = placesOf(body, (part) => typeof part === 'string').filter((at) =>
        at.every((step) => typeof step === 'string' || step === 0),
      );
      for (const at of texts) {
        for (const text of HOSTILE) {
          const answer = await place.cloud.ask(
            masters(route).token,
            route.method,
            fill(route.path, account),
            textWith(body, at, () => text),
          );
          check(answer, `${route.name} with ${text.slice(0, 60)} at ${at.join('.')}`);
        }
      }
    }
    expect(await place.store.db.introspection.getTables()).toHaveLength(tables);
    expect((await place.store.db.selectFrom('orgs').select('id').where('id', 'in', ['ours', 'theirs']).execute()).length).toBe(2);
  }, 120_000);

  test('and so in every part of an address, and in every header', async () => {
    const place = await CloudPlace.make(await address(database));
    const masters = await place.masters();
    const account = await place.account('ours', 'operator');
    for (const route of place.guarded) {
      const { token } = masters(route);
      const path = fill(route.path, account);
      const ask = async (target: string, headers: Record<string, string> = {}): Promise<void> => {
        const answer = await place.cloud.ask(token, route.method, target, route.body && '{}', headers);
        check(answer, `${route.name}: ${target} ${JSON.stringify(headers)}`);
        if (target !== path) expect([200, 400, 403, 404], `${route.name}: ${target}`).toContain(answer.status);
      };
      for (const evil of IN_ADDRESSES) {
        for (const name of route.path.match(/\{\w+\}/g) ?? []) {
          await ask(fill(route.path.replace(name, 'EVIL'), account).replace('EVIL', evil));
        }
        for (const { name } of route.parameters.filter((parameter) => parameter.in === 'query')) await ask(`${path}?${name}=${evil}`);
      }
      const headers = [
        ...route.parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name),
        'user-agent',
        'accept',
      ];
      for (const evil of IN_HEADERS) for (const name of headers) await ask(path, { [name]: evil });
    }
  }, 120_000);

  test(`whatever is sent, nothing fails inside and nothing of the inside is told (seed ${SEED})`, async () => {
    const place = await CloudPlace.make(await address(database));
    const masters = await place.masters();
    for (const route of place.operations) {
      const statuses = new Set<number>();
      await place.store.db.updateTable('orgs').set({ features: '["service-accounts"]' }).execute();
      await fc.assert(
        fc.asyncProperty(
          requestOf(route, place, [masters(route).id, 'hall', 'club', 'reviewer']),
          async ({ path, query, body, headers }) => {
            const target = `${path}?${new URLSearchParams(query)}`;
            const answer = await place.cloud.ask(masters(route).token, route.method, target, body, headers);
            statuses.add(answer.status);
            check(answer, `${route.name}: ${target} ${body}`);
          },
        ),
        { numRuns: 30, seed: SEED },
      );
      if (route.body !== undefined) expect([...statuses], route.name).toContain(400);
    }
  }, 120_000);
});

/** Requests near to what the document says of a route, and far from it. */
function requestOf(route: Operation, place: CloudPlace, ids: readonly string[]) {
  const { components } = place;
  const schema = place.schemaOf(route);
  const json =
    schema === undefined
      ? fc.constant(undefined)
      : fc.oneof(arbitraryOf(schema, components), almost(schema, components)).map((body) => JSON.stringify(body));
  const value = (of: JsonSchema): fc.Arbitrary<string> => fc.oneof(arbitraryOf(of, components).map(String), fc.string({ unit: 'binary' }));
  const parameters = (kind: string) => route.parameters.filter((parameter) => parameter.in === kind);
  const query = parameters('query').map(({ name, schema: of }) => [name, value(of)] as const);
  const headers = parameters('header').map(({ name, schema: of }) => [name, arbitraryOf(of, components).map(String)] as const);
  const part = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...ids) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1 }) },
  );
  return fc.record({
    path: fc.array(part, { minLength: 4, maxLength: 4 }).map((parts) => {
      const rest = [...parts];
      return route.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => (name === 'org' ? 'ours' : encodeURIComponent(rest.pop() ?? '')));
    }),
    query: textsOf(query),
    headers: textsOf(headers),
    body: fc.oneof({ weight: 9, arbitrary: json }, { weight: schema === undefined ? 0 : 1, arbitrary: fc.string() }),
  });
}

/** Some of the texts under their names. */
function textsOf(named: readonly (readonly [string, fc.Arbitrary<string>])[]): fc.Arbitrary<Record<string, string>> {
  return fc.record(Object.fromEntries(named), { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>;
}
