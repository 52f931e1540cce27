import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApi } from '../../edge/api/server.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { PLENTY, startTestApi, type TestApi } from '../helpers/test-api.ts';
import { consentFor, sightingOf } from '../helpers/vault-guests.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ more: { timeouts: { headersMs: 1000, requestMs: 1500, idleMs: 60_000 } } });
}, 60_000);
afterAll(() => api.stop());

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const silent = testLogger();
const listen = { host: '127.0.0.1', port: 0 };
const another = (more: object) =>
  startApi({ box: api.box, appliance: api.appliance, listen, logger: silent, clock: systemClock, rateLimits: PLENTY, ...more });

describe('where it listens', () => {
  test.each(['0.0.0.0', '::', '192.0.2.1', 'box.example'])('plain HTTP is not served on %s', async (host) => {
    await expect(another({ listen: { host, port: 0 } })).rejects.toMatchObject({ code: 'config_invalid' });
  });

  test('a port that is taken is told', async () => {
    const port = Number(new URL(api.url).port);
    await expect(another({ listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({ code: 'config_invalid' });
  });

  test('it keeps a connection longer than clients and load balancers do, who else lose a request on its way', async () => {
    const answer = await fetch(`${api.url}/healthz`);
    const [, seconds] = /^timeout=(\d+)$/.exec(answer.headers.get('keep-alive') ?? '') ?? [];
    expect(Number(seconds)).toBeGreaterThan(60);
  });

  test.skipIf(!hasOpenssl)(
    'with a certificate (skipped where openssl is not installed) it speaks TLS, and its cookie goes nowhere else',
    async () => {
      const folder = await tempFolder();
      const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
      await expect(another({ listen: { host: '127.0.0.1', port: 0, tls: { cert, key } } })).rejects.toMatchObject({
        code: 'config_invalid',
      });
      const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost'];
      execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert], { stdio: 'ignore' });
      const otherKey = join(folder, 'other-key.pem');
      execFileSync('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-out', otherKey]);
      await expect(another({ listen: { host: '127.0.0.1', port: 0, tls: { cert, key: otherKey } } })).rejects.toMatchObject({
        code: 'config_invalid',
      });
      const running = await another({
        listen: { host: '127.0.0.1', port: 0, tls: { cert, key } },
        timeouts: { headersMs: 1000, requestMs: 60_000, idleMs: 60_000 },
      });
      try {
        expect(running.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
        const statusOfSession = async (sent: string): Promise<unknown> => {
          const call = httpsRequest(`${running.url}/v1/session`, { headers: { cookie: sent }, rejectUnauthorized: false, agent: false });
          const [answer] = await once(call.end(), 'response');
          answer.resume();
          return answer.statusCode;
        };
        const headers = { 'content-type': 'application/json' };
        const request = httpsRequest(`${running.url}/v1/session`, { method: 'POST', headers, rejectUnauthorized: false, agent: false });
        request.end(JSON.stringify({ token: api.admin }));
        const [response] = await once(request, 'response');
        response.resume();
        expect(response.statusCode).toBe(201);
        const [cookie = ''] = response.headers['set-cookie'] ?? [];
        expect(cookie).toMatch(/^__Host-sgs=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Strict$/);
        const [session = ''] = cookie.split(';');
        expect(await statusOfSession(session)).toBe(200);
        expect(await statusOfSession(session.replace('__Host-', '')), 'a cookie that a neighbour could have set').toBe(401);
        expect(response.headers['strict-transport-security']).toContain('max-age=31536000');
        expect(await raw('', running.url), 'whoever never begins to speak TLS is let go').toBe('');
      } finally {
        await running.stop();
      }
    },
  );
});

/** What a server says to raw bytes until it ends the connection. */
async function raw(bytes: string, url = api.url): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on('error', (error) => {
    text += String(error);
  });
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

describe('a client that keeps the connection waiting is let go', () => {
  test('in its headers, and where it has said nothing, without a word that would be taken for an answer', async () => {
    const running = await another({ timeouts: { headersMs: 300, requestMs: 60_000, idleMs: 60_000 } });
    try {
      expect(await raw('', running.url)).toBe('');
      const answer = await raw('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ', running.url);
      expect(answer).toContain('HTTP/1.1 400');
      expect(answer).toContain('"code":"invalid_request"');
    } finally {
      await running.stop();
    }
  });

  test('in its body', async () => {
    const head = `POST /v1/tenants/north/rooms HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${api.admin}\r\nContent-Type: application/json\r\nContent-Length: 500`;
    expect(await raw(`${head}\r\n\r\n{"title":`)).toContain('HTTP/1.1 400');
  });

  test('in its reading of the answer', async () => {
    const running = await another({ timeouts: { headersMs: 10_000, requestMs: 60_000, idleMs: 300 } });
    try {
      const json = { slug: 'unread', url: 'rtsp://camera.example/1' };
      const { id } = (await api.ask('POST', '/v1/tenants/north/cameras', { as: api.admin, json })).body as { id: string };
      const { hostname, port } = new URL(running.url);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => socket.destroy());
      socket.write(`GET /v1/live?cameras=north/${id} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${api.admin}\r\n\r\n`);
      await once(socket, 'data');
      socket.pause();
      const frame = { mediaMs: 40, width: 640, height: 360, jpeg: Buffer.alloc(4_000_000, 7), tracks: [] };
      await expect.poll(() => api.box.show(id, frame), { timeout: 20_000 }).toBe(0);
      socket.destroy();
    } finally {
      await running.stop();
    }
  });

  test('and what is no HTTP gets a problem as well', async () => {
    expect(await raw('\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n')).toContain('application/problem+json');
  });
});

test('a page whose name was made to mean this machine (DNS rebinding) is turned away, whatever it asks for', async () => {
  const port = new URL(api.url).port;
  const ask = (host: string, path: string): Promise<string> =>
    raw(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${api.admin}\r\nConnection: close\r\n\r\n`);
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example', '192.0.2.1', '']) {
    for (const path of ['/', '/readyz', '/v1/system', '/none']) {
      const answer = await ask(host, path);
      expect(answer, `${host} ${path}`).toContain('HTTP/1.1 421 ');
      expect(answer).toContain('"code":"wrong_host"');
    }
  }
  for (const host of ['127.0.0.1', `127.0.0.1:${port}`, `localhost:${port}`, 'LOCALHOST', `[::1]:${port}`]) {
    expect(await ask(host, '/v1/system'), host).toContain('HTTP/1.1 200 ');
  }
});

test('nobody takes the connections of all others', async () => {
  const running = await another({});
  const sockets: Socket[] = [];
  /** @returns whether the box answers on this connection, which stays open */
  const call = async (localAddress: string): Promise<boolean> => {
    const { hostname, port } = new URL(running.url);
    const socket = connect({ host: hostname, port: Number(port), localAddress });
    sockets.push(socket.on('error', () => socket.destroy()));
    socket.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET ');
    return new Promise((resolve) => socket.once('data', () => resolve(true)).once('close', () => resolve(false)));
  };
  try {
    const answers = await Promise.all(Array.from({ length: 300 }, () => call('127.0.0.1')));
    expect(answers.filter((answered) => answered).length).toBe(256);
    expect(await call('127.0.0.2')).toBe(true);
    sockets.find(({ destroyed }) => !destroyed)?.destroy();
    await expect.poll(() => call('127.0.0.1')).toBe(true);
  } finally {
    for (const socket of sockets) socket.destroy();
    await running.stop();
  }
});

test('paths that are none are told as such', async () => {
  for (const path of ['/v1', '/v1/tenants/north/nothing', '/%ff', '/v1/tenants/..%2f..%2fetc', `/${'a'.repeat(3000)}`]) {
    const { status, headers, body } = await api.ask('GET', path, { as: api.admin });
    expect([status, headers.get('content-type'), (body as { code: string }).code], path).toEqual([
      path.includes('etc') ? 400 : 404,
      'application/problem+json',
      path.includes('etc') ? 'invalid_request' : 'not_found',
    ]);
  }
  expect((await api.ask('DELETE', '/healthz')).status).toBe(404);
});

test('readiness names the parts that are not ready', async () => {
  expect((await api.ask('GET', '/readyz')).body).toMatchObject({ ready: true, warnings: ['lease_ending'] });
  api.box.broken.set('vault north', 'key_file_missing');
  const { status, body } = await api.ask('GET', '/readyz');
  api.box.broken.clear();
  expect([status, body]).toEqual([
    503,
    {
      ready: false,
      warnings: ['lease_ending'],
      parts: expect.arrayContaining([{ part: 'vault north', ready: false, reason: 'key_file_missing' }]),
    },
  ]);
});

test('metrics hold what Prometheus needs of cameras, vaults and the pipeline, and move with the box', async () => {
  const read = async (): Promise<string> => {
    const { headers, bytes } = await api.ask('GET', '/metrics', { as: api.admin });
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    return bytes.toString();
  };
  await api.ask('POST', '/v1/tenants/north/cameras', { as: api.admin, json: { slug: 'metered', url: 'rtsp://camera.example/1' } });
  const before = await read();
  for (const line of [
    'securegate_camera_live{tenant="north",camera="metered"} 1',
    'securegate_camera_skipped_total{tenant="north",camera="metered"} 1',
    'securegate_camera_failures_total{tenant="north",camera="metered"} 4',
    'securegate_camera_waiting{tenant="north",camera="metered"} 2',
    'securegate_inference_waiting 5',
    'securegate_embedder_waiting 6',
    'securegate_rejected_faces_total{reason="blurred"} 3',
    'securegate_inference_provider_info{provider="cpu",fallback_reason="no GPU was found"} 1',
    'securegate_event_loop_delay_seconds{quantile="0.95"} 0.02',
    'securegate_vault_state{tenant="north",state="ready"} 1',
    'securegate_vault_state{tenant="north",state="failed"} 0',
    'securegate_vault_restarts_total{tenant="north"} 0',
    'securegate_vault_epoch{tenant="north"} 1',
    'securegate_lease_left_seconds{tenant="north",enforcement="memory"} 5000',
    'securegate_lease_newest_epoch{tenant="north"} 3',
    'securegate_warning{tenant="north",reason="lease_ending"} 1',
    ...['detect', 'analyse', 'embed', 'search'].map((stage) => `securegate_stage_seconds_count{stage="${stage}"} 0`),
    'securegate_frame_latency_seconds_count 0',
  ]) {
    expect(before).toContain(`${line}\n`);
  }
  expect(before).toMatch(/^securegate_last_backup_age_seconds 6\d(\.\d+)?$/m);
  api.box.times.detect.record(20);
  api.box.times.frame.record(30);
  api.box.times.frame.record(7000);
  const after = await read();
  for (const line of [
    '# TYPE securegate_stage_seconds histogram',
    'securegate_stage_seconds_bucket{stage="detect",le="0.01"} 0',
    'securegate_stage_seconds_bucket{stage="detect",le="0.025"} 1',
    'securegate_stage_seconds_bucket{stage="detect",le="+Inf"} 1',
    'securegate_stage_seconds_sum{stage="detect"} 0.02',
    'securegate_stage_seconds_count{stage="search"} 0',
    '# TYPE securegate_frame_latency_seconds histogram',
    'securegate_frame_latency_seconds_bucket{le="0.05"} 1',
    'securegate_frame_latency_seconds_bucket{le="5"} 1',
    'securegate_frame_latency_seconds_bucket{le="+Inf"} 2',
    'securegate_frame_latency_seconds_sum 7.03',
    'securegate_frame_latency_seconds_count 2',
  ]) {
    expect(after).toContain(`${line}\n`);
  }
  const names = after.split('\n').flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? []);
  expect(names).toEqual([...new Set(names)]);
});

test('who is in view is told with names, and each tenant its own', async () => {
  const made = await api.ask('POST', '/v1/tenants/north/customers', { as: api.admin, json: { name: 'Bea', consent: consentFor() } });
  const { id: customerId } = made.body as { id: string };
  api.box.seenNow.push({ ...sightingOf(customerId, 'north'), phase: 'begun' }, { ...sightingOf(customerId, 'south'), phase: 'begun' });
  const { body } = await api.ask('GET', '/v1/tenants/north/sightings/in-view', { as: api.admin });
  expect(body).toMatchObject({ items: [{ tenant: 'north', customerId, name: 'Bea', phase: 'begun' }], next: null });
  const blind = await api.ask('GET', '/v1/tenants/north/sightings/in-view', { as: api.key('north', ['sightings:read']) });
  expect(blind.body).toMatchObject({ items: [{ customerId, name: null }] });
});

test('stopping ends streams that are open', async () => {
  const running = await another({});
  const response = await fetch(`${running.url}/v1/sightings/stream?tenants=north`, { headers: { authorization: `Bearer ${api.admin}` } });
  const reader = response.body?.getReader();
  await reader?.read();
  await running.stop();
  await expect(reader?.read()).rejects.toThrow();
});

describe('the page', () => {
  test('is served with its own scripts alone, and its addresses lead to it', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'assets'));
    await writeFile(join(folder, 'index.html'), '<!doctype html><title>SecureGate</title>');
    await writeFile(join(folder, 'assets', 'main-1a2b.js'), 'export {};');
    await writeFile(join(folder, '..', 'secret.txt'), 'secret');
    const running = await another({ consoleDir: folder });
    try {
      for (const path of ['/', '/people', '/people/cus_x', '/index.html']) {
        const page = await fetch(`${running.url}${path}`);
        expect([page.status, page.headers.get('content-type'), page.headers.get('cache-control')], path).toEqual([
          200,
          'text/html; charset=utf-8',
          'no-store',
        ]);
        expect(await page.text()).toContain('SecureGate');
        const policy = page.headers.get('content-security-policy') ?? '';
        expect(policy).toContain("default-src 'none'");
        expect(policy).not.toMatch(/unsafe|https?:|\*/);
      }
      const script = await fetch(`${running.url}/assets/main-1a2b.js`);
      expect([script.status, script.headers.get('content-type')]).toEqual([200, expect.stringContaining('javascript')]);
      expect(script.headers.get('cache-control')).toContain('immutable');
      for (const path of ['/assets/none.js', '/v1/none', '/metrics/none', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/.git/config.x']) {
        const none = await fetch(`${running.url}${path}`);
        const { status, headers } = none;
        expect([status, headers.get('content-type'), headers.get('cache-control')], path).toEqual([
          404,
          'application/problem+json',
          'no-store',
        ]);
      }
    } finally {
      await running.stop();
    }
  });

  test('that is not there keeps the box from starting', async () => {
    await expect(another({ consoleDir: await tempFolder() })).rejects.toMatchObject({ code: 'config_invalid' });
  });
});

test('no secret, no name and no search ever reaches the log', async () => {
  const key = api.key('north');
  const { link } = (await api.ask('POST', '/v1/login-links', { as: api.admin })).body as { link: string };
  const logIn = await api.ask('POST', '/v1/session', { json: { token: api.admin } });
  const cookie = logIn.headers.get('set-cookie')?.split(';')[0]?.slice(4) ?? '';
  await api.ask('POST', '/v1/session', { json: { link } });
  await api.ask('GET', '/v1/session', { headers: { cookie: `sgs=${cookie}` } });
  await api.ask('GET', '/v1/session', { as: `sga_${'Q'.repeat(43)}` });
  const idempotency = 'idempotency-key-of-mine';
  const person = { name: 'Trillian McMillan', contact: 'trillian@example.org', consent: consentFor() };
  await api.ask('POST', '/v1/tenants/north/customers', { as: key, json: person, headers: { 'idempotency-key': idempotency } });
  await api.ask('GET', '/v1/tenants/north/customers?query=McMillan', { as: key });
  await api.ask('POST', '/v1/tenants/north/customers', { as: key, json: { ...person, name: { first: 'Trillian' } } });
  await api.ask('POST', '/v1/tenants/north/cameras/test', { as: key, json: { url: 'rtsp://user:hunter2@camera.example/' } });
  await api.ask('GET', '/v1/tenants/north/%ffMcMillan', { as: key });
  await api.ask('GET', '/Trillian', { as: key });
  await raw(`GET /Trillian HTTP/1.1\r\nAuthorization: Bearer ${key}\r\nbroken header\r\n\r\n`);
  const log = api.log.join('');
  expect(log).toContain('"route":"/v1/tenants/:tenant/customers"');
  expect(log).toContain('"code":"camera_unreachable"');
  const secrets = [
    api.admin,
    key,
    key.slice(-43),
    link,
    cookie,
    'Q'.repeat(43),
    idempotency,
    'Trillian',
    'McMillan',
    'trillian@',
    'hunter2',
  ];
  for (const secret of secrets) expect(log, secret).not.toContain(secret);
});
