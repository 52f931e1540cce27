import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { TestCloud } from '../helpers/cloud.ts';
import { testKms } from '../helpers/kms.ts';

/** As long as the product waits at most, in a hundredth of the time. */
const TIMEOUTS = { headersMs: 500, requestMs: 1000, idleMs: 1500 };
const BODY_LIMIT = 128 * 1024;
/** Connections that one address may have. */
const EACH = 256;

async function begin() {
  const cloud = await TestCloud.start(await testKms('software'), undefined, { timeouts: TIMEOUTS });
  const token = await cloud.issuer.token(LOCAL_OPERATOR, '');
  const head = (...lines: string[]): string =>
    [
      'POST /v1/orgs HTTP/1.1',
      'Host: 127.0.0.1',
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
      ...lines,
      '',
      '',
    ].join('\r\n');
  const isServed = async (): Promise<boolean> => (await fetch(`${cloud.url}/healthz`)).ok;
  return { cloud, token, head, isServed };
}

/** A connection, what was said to it so far, and its end. */
class Client {
  readonly socket: Socket;
  readonly ended: Promise<unknown>;
  said = '';
  written = 0;

  constructor(url: string) {
    this.socket = connect(Number(new URL(url).port), '127.0.0.1');
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk) => {
      this.said += chunk.toString();
    });
    this.ended = new Promise((resolve) => this.socket.once('close', resolve));
    onTestFinished(() => void this.socket.destroy());
  }

  write(text: string | Buffer): void {
    this.written += text.length;
    if (this.socket.writable) this.socket.write(text);
  }

  /** Writes a piece, again and again, until the connection ends. */
  async drip(piece: string | Buffer, everyMs: number): Promise<void> {
    const timer = setInterval(() => this.write(piece), everyMs);
    await this.ended;
    clearInterval(timer);
  }
}

test('a body that says it is too large is refused before it is read, and one that does not say it, when it is', async () => {
  const { cloud, head, isServed } = await begin();
  const declared = new Client(cloud.url);
  declared.write(head(`Content-Length: ${BODY_LIMIT + 1}`, 'Connection: close'));
  await expect.poll(() => declared.said).toMatch(/^HTTP\/1\.1 413 [\s\S]*payload_too_large/);

  const chunked = new Client(cloud.url);
  chunked.write(head('Transfer-Encoding: chunked'));
  await chunked.drip(`4000\r\n${'a'.repeat(0x4000)}\r\n`, 5);
  expect(chunked.said).toMatch(/^HTTP\/1\.1 413 [\s\S]*payload_too_large/);
  expect(chunked.written).toBeLessThan(100 * BODY_LIMIT);
  expect(await isServed()).toBe(true);
});

test.each([
  ['headers', '', 'X'],
  ['headers that never end', 'GET /v1/orgs HTTP/1.1\r\nHost: 127.0.0.1\r\n', 'X-A: b\r\n'],
])('who sends %s slowly is not waited for', async (_what, first, piece) => {
  const { cloud, isServed } = await begin();
  const slow = new Client(cloud.url);
  slow.write(first);
  await slow.drip(piece, 40);
  if (slow.said !== '') expect(slow.said).toMatch(/^HTTP\/1\.1 4\d\d /);
  expect(await isServed()).toBe(true);
});

test.each(['Content-Length: 100000', 'Transfer-Encoding: chunked'])('who sends a body slowly (%s) is not waited for', async (how) => {
  const { cloud, head, isServed } = await begin();
  const slow = new Client(cloud.url);
  slow.write(head(how));
  await slow.drip(how.startsWith('C') ? ' ' : '1\r\n \r\n', 40);
  if (slow.said !== '') expect(slow.said).toMatch(/^HTTP\/1\.1 4\d\d /);
  expect(await isServed()).toBe(true);
});

test('one address takes its own connections and no more, and they are free again when it was slow with them', async () => {
  const { cloud, isServed } = await begin();
  const slow = Array.from({ length: EACH + 44 }, () => new Client(cloud.url));
  for (const client of slow) client.write('GET /healthz HTTP/1.1\r\n');
  await Promise.all(slow.map(({ ended }) => ended));
  await expect.poll(() => isServed().catch(() => false)).toBe(true);
});

test('headers have a limit, in number and in size', async () => {
  const { cloud, head, isServed } = await begin();
  const lines = (count: number, length: number): string[] => Array.from({ length: count }, (_, n) => `X-${n}: ${'a'.repeat(length)}`);
  for (const more of [lines(1, 20_000), lines(3000, 1), lines(100, 1000), [`Cookie: ${'a=b; '.repeat(5000)}`]]) {
    const client = new Client(cloud.url);
    client.write(head(...more, 'Content-Length: 0', 'Connection: close'));
    await client.ended;
    expect(client.said.slice(0, 13)).toMatch(/^HTTP\/1\.1 4\d\d/);
  }
  const client = new Client(cloud.url);
  client.write(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  await client.ended;
  expect(client.said.slice(0, 13)).toMatch(/^HTTP\/1\.1 4\d\d/);
  expect(await isServed()).toBe(true);
});

test('deep JSON, odd JSON and what is no JSON are refused, quickly', async () => {
  const { cloud, token } = await begin();
  const depth = 60_000;
  const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const org = { id: 'deep', name: 'Deep', jurisdiction: 'CH' };
  const bodies: Record<string, string> = {
    'an open list of lists': '['.repeat(BODY_LIMIT - 10),
    'a list of lists': deep,
    'objects in objects': `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
    'depth in a field': `${JSON.stringify(org).slice(0, -1)},"branding":${deep.slice(10_000, -10_000)}}`,
    'a long list': `${JSON.stringify(org).slice(0, -1)},"features":[${'"a",'.repeat(30_000)}"a"]}`,
    'many fields': `{${Array.from({ length: 10_000 }, (_, n) => `"f${n}":1`).join()}}`,
    'a number with many digits': `{"id":1${'0'.repeat(100_000)}}`,
    'an exponent': '{"id":1e999999999}',
    'two values': '{}{}',
    'a byte order mark alone': '\ufeff',
    nothing: '',
    null: 'null',
    text: '"text"',
  };
  for (const [what, body] of Object.entries(bodies)) {
    const startedAt = performance.now();
    const { status, body: answer } = await cloud.ask(token, 'POST', '/v1/orgs', body, { 'content-type': 'application/json' });
    expect([status, answer.code], what).toEqual([400, 'invalid_request']);
    expect(performance.now() - startedAt, what).toBeLessThan(5000);
    expect(JSON.stringify(answer).length, what).toBeLessThan(2 * BODY_LIMIT);
  }
});

test('no other kind of body is read: compressed, of another type, or of none', async () => {
  const { cloud, token } = await begin();
  const org = JSON.stringify({ id: 'acme', name: 'Acme', jurisdiction: 'CH' });
  const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, ' '));
  const send = (body: string | Buffer, headers: Record<string, string>): Promise<Response> =>
    fetch(`${cloud.url}/v1/orgs`, { method: 'POST', headers: { authorization: `Bearer ${token}`, ...headers }, body });
  for (const [body, headers] of [
    [bomb, { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
    [gzipSync(org), { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
    [org, { 'content-type': 'application/xml' }],
    [org, { 'content-type': 'application/x-www-form-urlencoded' }],
    [org, { 'content-type': 'multipart/form-data; boundary=x' }],
    [org, { 'content-type': 'text/plain' }],
    [Buffer.from(org, 'utf16le'), { 'content-type': 'application/json; charset=utf-16' }],
  ] as const) {
    const { status } = await send(body, headers);
    expect([400, 413, 415], JSON.stringify(headers)).toContain(status);
  }
  expect((await cloud.ask(token, 'GET', '/v1/orgs')).body.items).toEqual([]);
});
