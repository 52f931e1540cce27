import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, PLENTY, startTestApi, type TestApi } from '../helpers/test-api.ts';
import { consentFor } from '../helpers/vault-guests.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
}, 60_000);
afterAll(() => api.stop());

const codeOf = ({ body }: Answer): string | undefined => (body as { code?: string } | undefined)?.code;

test('a login link that many use at the same moment begins one session', async () => {
  const { link } = api.appliance.loginLinks.add();
  const answers = await Promise.all(Array.from({ length: 20 }, () => api.ask('POST', '/v1/session', { json: { link } })));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array.from({ length: 19 }, () => 401)]);
});

test('nobody tries more tokens by saying that he comes from elsewhere', async () => {
  const limited = await startTestApi({ more: { rateLimits: { ...PLENTY, logIns: 2 } } });
  try {
    const tries = [];
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      const headers = { 'x-forwarded-for': address, forwarded: `for=${address}`, 'x-real-ip': address };
      tries.push((await limited.ask('POST', '/v1/session', { json: { token: 'sga_wrong' }, headers })).status);
    }
    expect(tries).toEqual([401, 401, 429]);
  } finally {
    await limited.stop();
  }
});

test('an Idempotency-Key of one principal or tenant says nothing about those of another one', async () => {
  const headers = { 'idempotency-key': 'the-same-for-everybody' };
  const json = { name: 'Ada', consent: consentFor() };
  const add = (tenant: string, as: string): Promise<Answer> => api.ask('POST', `/v1/tenants/${tenant}/customers`, { as, json, headers });
  const [north, other, south] = [api.key('north'), api.key('north'), api.key('south')];
  const made = [await add('north', north), await add('north', other), await add('south', south), await add('south', api.admin)];
  expect(made.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  const ids = made.map(({ body }) => (body as { id: string }).id);
  expect(new Set(ids).size).toBe(4);
  expect(((await add('north', north)).body as { id: string }).id).toBe(ids[0]);
  expect(codeOf(await add('south', north))).toBe('forbidden');
});

test('a sighting of one tenant is neither seen nor enrolled by another one', async () => {
  const consent = { name: 'Sue', consent: consentFor() };
  const { id } = (await api.ask('POST', '/v1/tenants/south/customers', { as: api.admin, json: consent })).body as { id: string };
  const sightingId = `sig_${'a'.repeat(26)}`;
  api.box.keepShot('north', sightingId, Buffer.from('a picture'));
  const south = api.key('south');
  const enrol = await api.ask('POST', `/v1/tenants/south/customers/${id}/faces/from-sighting`, { as: south, json: { sightingId } });
  expect(codeOf(enrol)).toBe('sighting_gone');
  expect(codeOf(await api.ask('GET', `/v1/tenants/south/sightings/${sightingId}/picture`, { as: south }))).toBe('sighting_gone');
  expect(codeOf(await api.ask('GET', `/v1/tenants/north/sightings/${sightingId}/picture`, { as: south }))).toBe('forbidden');
});

test.each(['-1', '1e9', '0x10', '9'.repeat(16), '9'.repeat(200), '%00', '__proto__', '1&cursor=2'])(
  'the made-up cursor %s is refused',
  async (cursor) => {
    for (const list of ['customers', 'sightings', 'rooms']) {
      const answer = await api.ask('GET', `/v1/tenants/north/${list}?cursor=${cursor}`, { as: api.admin });
      expect([answer.status, codeOf(answer)], list).toEqual([400, 'invalid_request']);
    }
  },
);

/** What the box says to raw bytes, until it ends the connection. */
function say(bytes: string): Promise<string> {
  const { hostname, port } = new URL(api.url);
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname);
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(text));
    socket.write(bytes);
  });
}

test.each([
  ['a length beside chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['two lengths', 'Content-Length: 4\r\nContent-Length: 5\r\n\r\n'],
  ['chunks that are not the last encoding', 'Transfer-Encoding: chunked, identity\r\n\r\n'],
  ['a header that is folded', 'X-Folded: a\r\n b: c\r\n\r\n'],
  ['a header before a bare line feed', 'X-Bare: a\nTransfer-Encoding: chunked\r\n\r\n'],
])('a request with %s is no request: nothing is smuggled behind it', async (_what, rest) => {
  const answer = await say(`POST /v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\n${rest}GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).not.toContain('"status":"ok"');
});

test.each([
  ['__proto__', '{"__proto__":{"title":"x"}}'],
  ['constructor.prototype', '{"title":"x","constructor":{"prototype":{"title":"x"}}}'],
  ['depth', '['.repeat(60_000)],
  ['no JSON', 'title=x'],
])('a body with %s is refused', async (_what, body) => {
  const response = await fetch(`${api.url}/v1/tenants/north/rooms`, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.admin}`, 'content-type': 'application/json' },
    body,
  });
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, 'invalid_request']);
});
