import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { createHttpApi, listen } from '../../../../shared/http/create-http-api.ts';
import type { HttpApi } from '../../../../shared/http/http-api.ts';
import { addProblems } from '../../../../shared/http/problems.ts';
import { deepFreeze } from '../../../../shared/runtime/deep-freeze.ts';
import { testLogger } from '../../../helpers/secrecy/test-logger.ts';

const inner = z.object({ id: z.string().max(3), seen: z.number().default(1) });

/** @returns what asks a server of these routes */
async function serve(addRoutes: (api: HttpApi) => void): Promise<(path: string) => Promise<{ status: number; text: string }>> {
  const api = createHttpApi({ certificates: undefined, logger: testLogger() });
  onTestFinished(() => api.close());
  addProblems(api);
  addRoutes(api);
  const url = await listen(api, '127.0.0.1', 0, undefined);
  return async (path) => {
    const answer = await fetch(`${url}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
}

async function answerOf(schema: z.ZodType, answer: unknown): Promise<{ status: number; text: string }> {
  const ask = await serve((api) => void api.get('/', { schema: { response: { 200: schema } } }, async () => answer));
  return await ask('/');
}

test.each([
  ['object', inner],
  ['list', z.array(inner)],
  ['union', z.union([z.strictObject({ other: z.string() }), inner])],
  ['record', z.record(z.string(), inner)],
])('nothing leaves that the schema of the answer does not name: %s', async (_name, schema) => {
  const shown = { id: 'a', seen: 2 };
  const wrap = (value: object): unknown => (schema instanceof z.ZodArray ? [value] : schema instanceof z.ZodRecord ? { x: value } : value);
  const { status, text } = await answerOf(schema, wrap({ ...shown, secret: 'Zaphod' }));
  expect(status).toBe(200);
  expect(JSON.parse(text)).toEqual(wrap(shown));
});

test.each([
  ['a field too many, of a strict one', z.strictObject({ id: z.string() }), { id: 'a', secret: 'Zaphod' }],
  ['a field too few', inner, { secret: 'Zaphod' }],
  ['a value that its checks do not take', inner, { id: 'Zaphod' }],
])('an answer that is none is not sent: %s', async (_name, schema, answer) => {
  const { status, text } = await answerOf(schema, answer);
  expect(status).toBe(500);
  expect(JSON.parse(text)).toMatchObject({ code: 'internal' });
  expect(text).not.toContain('Zaphod');
});

test('what can never change is checked once, everything else each time', async () => {
  let checks = 0;
  const counted = z.strictObject({ inner: z.strictObject({ id: z.string().refine(() => ++checks > 0) }) });
  const answers = { lasting: deepFreeze({ inner: { id: 'a' } }), other: Object.freeze({ inner: { id: 'a' } }) };
  const names = z.strictObject({ name: z.enum(['lasting', 'other']) });
  const schema = { params: names, response: { 200: counted } };
  const ask = await serve((api) => void api.get('/:name', { schema }, async ({ params }) => answers[params.name]));
  for (let at = 0; at < 3; at++) expect((await ask('/lasting')).text).toBe('{"inner":{"id":"a"}}');
  expect(checks).toBe(1);
  await ask('/other');
  answers.other.inner.id = 'b';
  expect((await ask('/other')).text).toBe('{"inner":{"id":"b"}}');
  expect(checks).toBe(3);
});

test('what is asked is taken as its schema says, or refused with the names of the fields', async () => {
  const querystring = z.strictObject({ limit: z.coerce.number().int().max(200).default(50) });
  const ask = await serve((api) => void api.get('/', { schema: { querystring } }, async ({ query }) => query));
  expect([(await ask('/')).text, (await ask('/?limit=7')).text]).toEqual(['{"limit":50}', '{"limit":7}']);
  for (const [wrong, path] of [
    ['limit=999', 'querystring.limit'],
    ['x=1', 'querystring.'],
  ]) {
    const { status, text } = await ask(`/?${wrong}`);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ code: 'invalid_request', details: { fields: [{ path }] } });
  }
});
