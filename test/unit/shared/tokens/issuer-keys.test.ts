import { chmodSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { newId } from '../../../../shared/ids/ids.ts';
import { createLogger } from '../../../../shared/log/create-logger.ts';
import { fetchKeys } from '../../../../shared/tokens/fetch-keys.ts';
import { issuerSchema } from '../../../../shared/tokens/issuer-config.ts';
import { IssuerKeys } from '../../../../shared/tokens/issuer-keys.ts';
import { CLOUD_AUDIENCE, TokenVerifier } from '../../../../shared/tokens/token-verifier.ts';
import { TestIssuer } from '../../../helpers/cloud.ts';
import { IssuerServer } from '../../../helpers/issuer-server.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const DAY_MS = 86_400_000;
const PAUSE_MS = 30_000;
const USER = newId('user');

/** A verifier of tokens whose keys come from a server on this machine, and a clock for its keys. */
async function place() {
  const issuer = new TestIssuer();
  const server = await IssuerServer.start(issuer);
  const file = join(await tempFolder(), 'issuer-keys.json');
  const clock = { now: Date.now() };
  const log: string[] = [];
  const logger = createLogger('test', { stream: { write: (line) => void log.push(line) } });
  const config = issuerSchema.parse({ issuer: issuer.issuer, keysUrl: server.url });
  /** The same in another process, or after a restart. */
  const start = (more: object = {}): ((by: TestIssuer) => Promise<string>) => {
    const keys = new IssuerKeys({ config: { ...config, ...more }, file, now: () => clock.now, logger });
    void keys.start();
    onTestFinished(() => keys.stop());
    // Tokens themselves are as fresh as the machine's clock says.
    const verifier = new TokenVerifier([{ ...keys.trusted, issuer: issuer.issuer }], CLOUD_AUDIENCE, Date.now);
    return async (by) => {
      const token = await by.token(USER, 'acme');
      return await verifier.verify(token).then(
        ({ id }) => id,
        (error: { code: string }) => error.code,
      );
    };
  };
  return { issuer, server, file, clock, log, start };
}

test('a key that the issuer has added counts with its first token, and one that it has removed no more', async () => {
  const { issuer, server, clock, start } = await place();
  const check = start();
  expect(await check(issuer)).toBe(USER);
  const next = new TestIssuer();
  await server.serve(next);
  clock.now += PAUSE_MS;
  expect(await Promise.all([check(next), check(next), check(next)])).toEqual([USER, USER, USER]);
  expect(server.asked).toBe(2);
  expect(await check(issuer)).toBe('unauthenticated');
});

test('whatever keys strangers name, the issuer is asked once in thirty seconds, and known keys wait for nobody', async () => {
  const { issuer, server, clock, start } = await place();
  const check = start();
  expect(await check(issuer)).toBe(USER);
  clock.now += PAUSE_MS;
  const waiting: ServerResponse[] = [];
  server.answer = (_request, response) => void waiting.push(response);
  const strangers = Array.from({ length: 50 }, () => check(new TestIssuer()));
  await expect.poll(() => server.asked, { timeout: 20_000 }).toBe(2);
  expect(await check(issuer), 'while the issuer is being asked').toBe(USER);
  for (const response of waiting) response.writeHead(503).end();
  expect(new Set(await Promise.all(strangers))).toEqual(new Set(['unauthenticated']));
  await server.serve(issuer);
  clock.now += PAUSE_MS - 1;
  await check(new TestIssuer());
  expect(server.asked).toBe(2);
  clock.now += 1;
  await Promise.all([check(new TestIssuer()), check(new TestIssuer())]);
  expect(server.asked).toBe(3);
});

test('while the issuer is away its last keys count, also after a restart, for seven days', async () => {
  const { issuer, server, clock, start } = await place();
  expect(await start()(issuer)).toBe(USER);
  server.answer = ({ socket }) => void socket.destroy();
  clock.now += 7 * DAY_MS;
  const check = start();
  expect(await check(issuer)).toBe(USER);
  expect(await check(new TestIssuer()), 'a key that nobody knows').toBe('unauthenticated');
  clock.now += 1;
  expect(await check(issuer)).toBe('issuer_unavailable');
  expect(await start({ keysDays: 30 })(issuer)).toBe(USER);
  await server.serve(issuer);
  clock.now += PAUSE_MS;
  expect(await check(issuer), 'the issuer is back').toBe(USER);
});

test('kept keys are for their owner alone, and count for their own issuer and in their own time', async () => {
  const { issuer, server, file, clock, log, start } = await place();
  expect(await start()(issuer)).toBe(USER);
  await expect.poll(() => statSync(file, { throwIfNoEntry: false })?.mode).toBe(0o100600);
  await server.stop();
  const whole = readFileSync(file, 'utf8');
  expect(await start()(issuer)).toBe(USER);
  const put = (text: string): void => writeFileSync(file, text);
  const tries: Record<string, () => void> = {
    'of another issuer': () => put(whole.replace('https://id.test', 'https://evil.test')),
    'from another address': () => put(whole.replace('/jwks', '/other')),
    'of the future': () => put(whole.replace(/"fetchedAt":\d+/, `"fetchedAt":${clock.now + DAY_MS}`)),
    'too old': () => put(whole.replace(/"fetchedAt":\d+/, `"fetchedAt":${clock.now - 7 * DAY_MS - 1}`)),
    damaged: () => put(whole.slice(1)),
    'without keys': () => put(whole.replace(/"keys":\[.*\]/, '"keys":[]')),
    'readable for others': () => chmodSync(file, 0o640),
    'writable for others': () => chmodSync(file, 0o602),
    'behind a link': () => {
      renameSync(file, `${file}.real`);
      symlinkSync(`${file}.real`, file);
    },
  };
  for (const [what, spoil] of Object.entries(tries)) {
    spoil();
    expect(await start()(issuer), what).toBe('issuer_unavailable');
    if (what === 'behind a link') renameSync(`${file}.real`, file);
    put(whole);
    chmodSync(file, 0o600);
    expect(await start()(issuer), `${what}, mended`).toBe(USER);
  }
  expect(log.filter((line) => line.includes('kept keys of the issuer are not used')).length).toBe(5);
});

test('an answer that is no set of keys changes nothing, and is read no further than a set can be long', async () => {
  const { issuer, server, clock, start } = await place();
  const check = start();
  expect(await check(issuer)).toBe(USER);
  const { keys } = await new TestIssuer().jwks();
  let sent = 0;
  for (const [what, answer] of Object.entries<IssuerServer['answer']>({
    failure: (_, response) => response.writeHead(500).end(JSON.stringify({ keys })),
    'another address': (_, response) => response.writeHead(302, { location: `${server.url}2` }).end(),
    page: (_, response) => response.end('<html>'),
    'no keys': (_, response) => response.end('{"keys":[]}'),
    'keys without ids': (_, response) => response.end(JSON.stringify({ keys: keys.map(({ kid: _kid, ...key }) => key) })),
    'keys of another kind': (_, response) =>
      response.end(JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'a', alg: 'HS256' }] })),
    'a thousand keys': (_, response) => response.end(JSON.stringify({ keys: Array.from({ length: 1000 }, () => keys[0]) })),
    'no end': (_, response) => {
      const more = (): void => {
        while (!response.destroyed && sent < 50_000_000) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536, 0x20))) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    },
  })) {
    server.answer = answer;
    const asked = server.asked;
    clock.now += PAUSE_MS;
    expect(await check(new TestIssuer()), what).toBe('unauthenticated');
    expect(server.asked, what).toBe(asked + 1);
    expect(await check(issuer), what).toBe(USER);
  }
  expect(sent).toBeLessThan(20_000_000);
});

test('an issuer that does not answer is given up', async () => {
  const server = await IssuerServer.start();
  server.answer = (_request, response) => void response.write('{"keys":');
  await expect(fetchKeys(server.url, AbortSignal.timeout(200))).rejects.toMatchObject({ code: 'issuer_unavailable' });
});

test('a private key that an issuer tells by mistake goes no further', async () => {
  const server = await IssuerServer.start();
  const { privateKey } = new TestIssuer();
  server.answer = (_request, response) => response.end(JSON.stringify({ keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'a' }] }));
  const { keys } = await fetchKeys(server.url, AbortSignal.timeout(5000));
  expect(Object.keys(keys[0] ?? {}).sort()).toEqual(['crv', 'kid', 'kty', 'x', 'y']);
});

test('an issuer signs for itself alone', async () => {
  const [ours, other] = [new TestIssuer(), new TestIssuer()];
  const issuers = [await ours.trusted(), { ...(await other.trusted()), issuer: 'https://other.test' }];
  const verifier = new TokenVerifier(issuers, CLOUD_AUDIENCE, Date.now);
  expect(await verifier.verify(await ours.token(USER, 'acme'))).toEqual({ id: USER, org: 'acme', roles: [] });
  const tries = [
    await other.token(USER, 'acme'),
    await ours.token(USER, 'acme', { iss: 'https://other.test' }),
    await ours.token(USER, 'acme', { iss: 'https://nobody.test' }),
    await ours.token(USER, 'acme', { iss: undefined }),
    await ours.token(USER, 'acme', { iss: ['https://id.test'] }),
    'a.b.c',
    '',
  ];
  for (const token of tries) await expect(verifier.verify(token), token).rejects.toMatchObject({ code: 'unauthenticated' });
});

test.each([
  ['http://id.example/jwks', false],
  ['https://id.example/jwks', true],
  ['http://127.0.0.1:8/jwks', true],
  ['http://[::1]:8/jwks', true],
  ['http://127.0.0.1.evil.example/jwks', false],
  ['http://localhost@evil.example/jwks', false],
  ['file:///etc/passwd', false],
  ['ftp://127.0.0.1/jwks', false],
])('keys at %s: %s', (keysUrl, isTaken) => {
  expect(issuerSchema.safeParse({ issuer: 'x', keysUrl }).success).toBe(isTaken);
});
