import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAppliance } from '../../edge/appliance/open-appliance.ts';
import { newSecretText } from '../../edge/appliance/secret-text.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { type Answer, startTestApi, type TestApi } from '../helpers/test-api.ts';
import { consentFor } from '../helpers/vault-guests.ts';

let now = Date.now();
let api: TestApi;

beforeAll(async () => {
  api = await startTestApi({ now: () => now });
}, 60_000);
afterAll(() => api.stop());

const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };
const newEvent = { title: 'Concert', startsAt: '2026-12-12T19:00:00Z', endsAt: '2026-12-12T22:00:00Z' };
const logIn = (json: object): Promise<Answer> => api.ask('POST', '/v1/session', { json });
const cookieOf = ({ headers }: Answer): string => headers.get('set-cookie')?.split(';')[0] ?? '';
const codeOf = ({ body }: Answer): string => (body as { code: string }).code;

describe('a browser session', () => {
  test('begins with the admin token, in a cookie that no script reads and no other site sends', async () => {
    const answer = await logIn({ token: api.admin });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('set-cookie')).toMatch(/^sgs=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/);
    const current = await api.ask('GET', '/v1/session', { headers: { cookie: cookieOf(answer) } });
    expect(current.body).toEqual({ subject: 'admin', expiresAt: new Date(now + 12 * 3_600_000).toISOString() });
    expect((await api.ask('GET', '/v1/tenants/north/customers', { headers: { cookie: cookieOf(answer) } })).status).toBe(200);
  });

  test('begins with a login link, once', async () => {
    const made = await api.ask('POST', '/v1/login-links', { as: api.admin });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({ link: expect.stringMatching(/^[\w-]{43}$/), expiresAt: new Date(now + 10 * 60_000).toISOString() });
    const { link } = made.body as { link: string };
    expect((await logIn({ link })).status).toBe(201);
    const again = await logIn({ link });
    expect([again.status, codeOf(again)]).toEqual([401, 'unauthenticated']);
  });

  test('does not begin with a link that is ten minutes old', async () => {
    const { link } = api.appliance.loginLinks.add();
    now += 10 * 60_000;
    expect((await logIn({ link })).status).toBe(401);
  });

  test('begins with nothing else', async () => {
    for (const json of [{ token: 'x' }, { token: `sga_${'A'.repeat(43)}` }, { link: 'A'.repeat(43) }, { token: api.key('north') }]) {
      expect((await logIn(json)).status).toBe(401);
    }
    expect((await logIn({ token: api.admin, link: 'x' })).status).toBe(400);
  });

  test('ends when the admin logs out, and after twelve hours', async () => {
    const headers = { cookie: cookieOf(await logIn({ token: api.admin })), ...SAME_ORIGIN };
    const ended = await api.ask('DELETE', '/v1/session', { headers });
    expect([ended.status, ended.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('sgs=; ')]);
    expect((await api.ask('GET', '/v1/session', { headers })).status).toBe(401);
    const other = { cookie: cookieOf(await logIn({ token: api.admin })) };
    now += 12 * 3_600_000 - 1;
    expect((await api.ask('GET', '/v1/session', { headers: other })).status).toBe(200);
    now += 1;
    expect((await api.ask('GET', '/v1/session', { headers: other })).status).toBe(401);
  });

  test('changes something only for a page of this box', async () => {
    const cookie = cookieOf(await logIn({ token: api.admin }));
    const add = (headers: Record<string, string>): Promise<Answer> =>
      api.ask('POST', '/v1/tenants/north/events', { json: newEvent, headers: { cookie, ...headers } });
    expect((await add(SAME_ORIGIN)).status).toBe(201);
    expect((await add({ origin: api.url })).status).toBe(201);
    for (const headers of [
      {},
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: api.url },
      { 'sec-fetch-site': 'none' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: api.url.replace('http:', 'https:') },
    ]) {
      const answer = await add(headers as Record<string, string>);
      expect([answer.status, codeOf(answer)], JSON.stringify(headers)).toEqual([403, 'csrf']);
    }
    expect((await api.ask('DELETE', '/v1/session', { headers: { cookie } })).status).toBe(403);
    const withToken = await api.ask('POST', '/v1/tenants/north/events', { json: newEvent, as: api.admin, headers: { cookie } });
    expect(withToken.status, 'a token is no cookie').toBe(201);
  });
});

test('a wrong credential beside a good cookie is not overlooked', async () => {
  const cookie = cookieOf(await logIn({ token: api.admin }));
  expect((await api.ask('GET', '/v1/session', { as: 'wrong', headers: { cookie } })).status).toBe(401);
});

test('an API key is shown once, kept as a hash and tells when it was used', async () => {
  const path = '/v1/tenants/north/api-keys';
  const expiresAt = new Date(now + 3_600_000).toISOString();
  const made = await api.ask('POST', path, { as: api.admin, json: { title: 'Shop', scopes: ['people:read'], expiresAt } });
  const { key, id } = made.body as { key: string; id: string };
  expect(key).toMatch(/^sgk_live_[a-z2-7]{26}_[\w-]{43}$/);
  expect((await api.ask('GET', '/v1/tenants/north/customers', { as: key })).status).toBe(200);
  const list = await api.ask('GET', path, { as: api.admin });
  expect(JSON.stringify(list.body)).not.toContain(key.slice(-43));
  const { items } = list.body as { items: { id: string }[] };
  expect(items.find((entry) => entry.id === id)).toMatchObject({
    title: 'Shop',
    expiresAt,
    revokedAt: null,
    lastUsedAt: expect.any(String),
  });
  expect((await api.ask('DELETE', `/v1/tenants/south/api-keys/${id}`, { as: api.admin })).status, 'of another tenant').toBe(404);
  expect((await api.ask('GET', '/v1/tenants/north/customers', { as: key })).status).toBe(200);
});

test('a key of one tenant reads nothing of another one by any id', async () => {
  const made = await api.ask('POST', '/v1/tenants/south/customers', { as: api.admin, json: { name: 'Sue', consent: consentFor() } });
  const { id } = made.body as { id: string };
  const answer = await api.ask('GET', `/v1/tenants/north/customers/${id}`, { as: api.key('north') });
  expect([answer.status, codeOf(answer)]).toEqual([404, 'customer_not_found']);
});

test('the admin token is written once, for its owner alone, and stays the same', async () => {
  const folder = await tempFolder();
  const file = join(folder, 'admin-token');
  const appliance = openAppliance(join(folder, 'data'));
  let token = '';
  try {
    expect(await appliance.admin.ensure(file)).toBe(true);
    token = (await readFile(file, 'utf8')).trim();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await appliance.admin.verify(token)).toBe(true);
    expect(await appliance.admin.ensure(file)).toBe(false);
    expect((await readFile(file, 'utf8')).trim()).toBe(token);
    expect(await appliance.admin.verify(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)).toBe(false);
  } finally {
    appliance.close();
  }
  const stored = await readFile(join(folder, 'data', 'appliance.db'), 'latin1');
  expect(stored).toContain('$argon2id$');
  expect(stored).not.toContain(token);
});

test('wrong admin tokens are refused at no cost: a slow hash is no way to take time from the cameras', async () => {
  const folder = await tempFolder();
  const file = join(folder, 'admin-token');
  const appliance = openAppliance(join(folder, 'data'));
  try {
    await appliance.admin.ensure(file);
    const token = (await readFile(file, 'utf8')).trim();
    const spent = async (tokens: readonly string[], expected: boolean): Promise<number> => {
      const before = process.cpuUsage();
      for (const each of tokens) expect(await appliance.admin.verify(each)).toBe(expected);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const wrong = Array.from({ length: 300 }, () => `sga_${newSecretText()}`);
    expect(await spent(wrong, false)).toBeLessThan(30 * (await spent([token], true)));
  } finally {
    appliance.close();
  }
});

describe('too many requests are refused', () => {
  const limits = { perAddress: 1e6, perPrincipal: 1e6, pictures: 1e6, logIns: 1e6 };
  const limited = async (rateLimits: typeof limits, use: (api: TestApi) => Promise<void>): Promise<void> => {
    const other = await startTestApi({ more: { rateLimits } });
    try {
      await use(other);
    } finally {
      await other.stop();
    }
  };
  const statuses = async (count: number, ask: () => Promise<Answer>): Promise<number[]> => {
    const found = [];
    for (let round = 0; round < count; round += 1) found.push((await ask()).status);
    return found;
  };

  test('to log in', () =>
    limited({ ...limits, logIns: 2 }, async (other) => {
      const wrong = { json: { token: `sga_${'A'.repeat(43)}` } };
      expect(await statuses(3, () => other.ask('POST', '/v1/session', wrong))).toEqual([401, 401, 429]);
      const asBearer = await other.ask('GET', '/v1/system', { as: wrong.json.token });
      expect(asBearer.status, 'nor is the token tried elsewhere').toBe(429);
      expect(codeOf(asBearer)).toBe('rate_limited');
      expect(Number(asBearer.headers.get('retry-after'))).toBeGreaterThan(0);
      const { link } = other.appliance.loginLinks.add();
      for (const json of [{ token: other.admin }, { link }]) {
        expect((await other.ask('POST', '/v1/session', { json })).status, 'nobody is kept out by what others try').toBe(201);
      }
    }));

  test('of one key, while another one goes on', () =>
    limited({ ...limits, perPrincipal: 2 }, async (other) => {
      const [first, second] = [other.key('north'), other.key('north')];
      expect(await statuses(3, () => other.ask('GET', '/v1/tenants/north/rooms', { as: first }))).toEqual([200, 200, 429]);
      expect((await other.ask('GET', '/v1/tenants/north/rooms', { as: second })).status).toBe(200);
    }));

  test('with pictures, before the picture is looked at', () =>
    limited({ ...limits, pictures: 1 }, async (other) => {
      const ask = () => other.ask('POST', '/v1/tenants/north/search', { as: other.admin, picture: Buffer.from('no picture') });
      expect(await statuses(2, ask)).toEqual([415, 429]);
    }));

  test('of one address, whoever asks', () =>
    limited({ ...limits, perAddress: 2 }, async (other) => {
      expect(await statuses(3, () => other.ask('GET', '/healthz'))).toEqual([200, 200, 429]);
      expect(await statuses(1, () => other.ask('GET', '/none')), 'also for what is no route').toEqual([429]);
    }));
});
