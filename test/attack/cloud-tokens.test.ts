import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { CompactEncrypt, calculateJwkThumbprint } from 'jose';
import { expect, test } from 'vitest';
import { newId } from '../../shared/ids/ids.ts';
import { ACCESS_TOKEN_TYPE, CLOUD_AUDIENCE } from '../../shared/tokens/token-verifier.ts';
import { TestCloud, type TestIssuer } from '../helpers/cloud.ts';
import { CloudPlace } from '../helpers/cloud-place.ts';

const PATH = '/v1/orgs/ours';
const encode = (part: string | object): string => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** A token of parts as they stand, well signed unless said otherwise: what no library would make. */
function compact(header: string | object, claims: string | object, key: KeyObject, signature?: string): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${signature ?? sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

async function headerOf({ jwk }: TestIssuer): Promise<object> {
  return { alg: 'ES256', typ: ACCESS_TOKEN_TYPE, kid: await calculateJwkThumbprint(jwk) };
}

function claimsOf({ issuer }: TestIssuer, sub: string, owner = 'ours') {
  const iat = Math.floor(Date.now() / 1000);
  return { iss: issuer, aud: CLOUD_AUDIENCE, sub, owner, iat, exp: iat + 300 };
}

test('access tokens that are forged, of elsewhere, too old or not yet, or of another kind, count for nothing', async () => {
  const place = await CloudPlace.make();
  const { cloud } = place;
  const { issuer } = cloud;
  const { id, token } = await place.account('ours', 'org:admin');
  const auditor = await place.account('ours', 'auditor');
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const elsewhere = await TestCloud.start(place.kms);
  const [header, claims] = [await headerOf(issuer), claimsOf(issuer, id)];
  const { iat } = claims;
  const strangersJwk = stranger.publicKey.export({ format: 'jwk' });
  const spki = createPublicKey({ key: issuer.jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
  const good = (change: object, of: object = {}) => issuer.token(id, 'ours', change, of);
  const forged = (of: object) => issuer.token(id, 'ours', {}, of, stranger.privateKey);
  const status = async (tried: string): Promise<number> => (await cloud.ask(tried, 'PATCH', PATH, { name: 'Taken over' })).status;

  // What is tried below fails for the one thing that is wrong with it.
  expect(await status(compact(header, claims, issuer.privateKey))).toBe(200);
  await cloud.ask(token, 'PATCH', PATH, { name: 'ours' });
  const before = await place.content();
  const sealed = await new CompactEncrypt(Buffer.from(token))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT' })
    .encrypt(rsa.publicKey);
  const tries: Record<string, string> = {
    ...Object.fromEntries(
      ['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg) => [
        [`of the algorithm "${alg}", without a signature`, compact({ ...header, alg }, claims, issuer.privateKey, '')],
        [`of the algorithm "${alg}", with one`, compact({ ...header, alg }, claims, stranger.privateKey)],
      ]),
    ),
    'without an algorithm': compact({ ...header, alg: undefined }, claims, issuer.privateKey),
    'with an algorithm that is a list': compact({ ...header, alg: ['ES256'] }, claims, issuer.privateKey),
    'with an empty signature': compact(header, claims, issuer.privateKey, ''),
    'with a signature of zeros': compact(header, claims, issuer.privateKey, Buffer.alloc(64).toString('base64url')),
    'with a signature in DER': compact(
      header,
      claims,
      issuer.privateKey,
      sign('sha256', Buffer.from(`${encode(header)}.${encode(claims)}`), issuer.privateKey).toString('base64url'),
    ),
    'with the signature of another token': `${compact(header, { ...claims, exp: claims.exp + 1 }, issuer.privateKey, '')}${token.split('.')[2]}`,
    'by the public key as a secret (HS256, JWK)': await issuer.token(
      id,
      'ours',
      {},
      { alg: 'HS256' },
      Buffer.from(JSON.stringify(issuer.jwk)),
    ),
    'by the public key as a secret (HS256, PEM)': await issuer.token(id, 'ours', {}, { alg: 'HS256' }, Buffer.from(spki)),
    'by an RSA key (RS256)': await issuer.token(id, 'ours', {}, { alg: 'RS256' }, rsa.privateKey),
    'by an RSA key (PS256)': await issuer.token(id, 'ours', {}, { alg: 'PS256' }, rsa.privateKey),
    'by another key': await forged({}),
    'with a key of its own': await forged({ jwk: strangersJwk }),
    'with a key of its own under its own id': await forged({ jwk: strangersJwk, kid: await calculateJwkThumbprint(strangersJwk) }),
    'with an address of keys': await forged({ jku: `${cloud.url}/keys` }),
    'with an address of certificates': await forged({ x5u: `${cloud.url}/certificates` }),
    'with a certificate': await forged({ x5c: [randomBytes(64).toString('base64')] }),
    'with a path as its key id': await forged({ kid: '../../../../dev/null' }),
    'with SQL as its key id': await forged({ kid: "' UNION SELECT 'key' --" }),
    'with a command as its key id': await forged({ kid: '|id' }),
    'with a key id that is a number': compact({ ...header, kid: 1 }, claims, stranger.privateKey),
    'without a key id': compact({ ...header, kid: undefined }, claims, stranger.privateKey),
    'that says it needs an extension': compact({ ...header, crit: ['exp'] }, claims, issuer.privateKey),
    'that says it needs nothing': compact({ ...header, crit: [] }, claims, issuer.privateKey),
    'with an unencoded payload': compact({ ...header, b64: false, crit: ['b64'] }, claims, issuer.privateKey),
    'of another control plane': await elsewhere.issuer.token(id, 'ours'),
    'of another issuer': await good({ iss: 'https://evil.example' }),
    'of an issuer with a slash more': await good({ iss: `${issuer.issuer}/` }),
    'of a list of issuers': compact(header, { ...claims, iss: [issuer.issuer] }, issuer.privateKey),
    'for somebody else': await good({ aud: 'securegate-box' }),
    'for nobody': await good({ aud: undefined }),
    'for an empty list': await good({ aud: [] }),
    'of another kind': await good({}, { typ: 'JWT' }),
    'of the kind of an identity': await good({}, { typ: 'id_token' }),
    'of no kind': await good({}, { typ: undefined }),
    'that has ended': await good({ iat: iat - 500, exp: iat - 60 }),
    'that lives too long': await good({ iat: iat - 3600, exp: iat + 3600 }),
    'of the future': await good({ iat: iat + 3600, exp: iat + 7200 }),
    'not yet to be used': await good({ nbf: iat + 3600 }),
    'without an end': await good({ exp: undefined }),
    'without a beginning': await good({ iat: undefined }),
    'without an owner': await good({ owner: undefined }),
    'without a subject': await good({ sub: undefined }),
    'without an issuer': await good({ iss: undefined }),
    'whose end is text': compact(header, { ...claims, exp: String(claims.exp) }, issuer.privateKey),
    'that began long ago and never ends': compact(
      header,
      JSON.stringify({ ...claims, iat: iat - 3600 }).replace(/"exp":\d+/, '"exp":1e999'),
      issuer.privateKey,
    ),
    'whose subject is a list': compact(header, { ...claims, sub: [id] }, issuer.privateKey),
    'whose owner is a list': compact(header, { ...claims, owner: ['ours'] }, issuer.privateKey),
    'with another owner': await issuer.token(id, 'theirs'),
    'of the platform': await issuer.token(id, ''),
    'of nobody': await issuer.token(newId('user'), 'ours'),
    'of an id that is none': await issuer.token("usr_' OR 1=1 --", 'ours'),
    'with claims twice, of which the last says another owner': compact(
      header,
      `${JSON.stringify(claims).slice(0, -1)},"owner":"theirs"}`,
      issuer.privateKey,
    ),
    'with an algorithm twice': compact(`${JSON.stringify(header).slice(0, -1)},"alg":"none"}`, claims, issuer.privateKey, ''),
    'with claims that are none': compact(header, '[]', issuer.privateKey),
    'with claims that are no JSON': compact(header, '{', issuer.privateKey),
    'with claims nested deeply': compact(header, `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`, issuer.privateKey),
    'with a prototype for its claims': compact(header, `{"__proto__":${JSON.stringify(claims)}}`, issuer.privateKey),
    'in an envelope': sealed,
    'in a token': compact({ ...header, cty: 'JWT' }, token, issuer.privateKey),
    'with a part more': `${token}.${token.split('.')[2]}`,
    'with a part less': token.slice(0, token.lastIndexOf('.')),
    'with padding': `${token}==`,
    'with a space': token.replace('.', ' .'),
    'as long as a token may be, and one more': `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(4097)}`,
    'very long': `${encode(header)}.${'A'.repeat(12_000)}.${'A'.repeat(86)}`,
    empty: '',
  };
  for (const [what, tried] of Object.entries(tries)) expect(await status(tried), what).toBe(401);
  expect(await place.content()).toBe(before);

  // Of claims that stand there twice the last counts (RFC 7519, 4), as everywhere: it is who that says, and may what he may.
  const twice = compact(header, `${JSON.stringify(claims).slice(0, -1)},"sub":"${auditor.id}"}`, issuer.privateKey);
  expect(await status(twice)).toBe(403);
}, 60_000);

test('a token counts in its header alone, and there once', async () => {
  const place = await CloudPlace.make();
  const { cloud } = place;
  const { token } = await place.account('ours', 'org:admin');
  const tries: Record<string, Promise<{ status: number }>> = {
    'in the address': cloud.ask(undefined, 'GET', `${PATH}?access_token=${token}&token=${token}&authorization=Bearer%20${token}`),
    'in a cookie': cloud.ask(undefined, 'GET', PATH, undefined, { cookie: `token=${token}; access_token=${token}; sgs=${token}` }),
    'in the body': cloud.ask(undefined, 'PATCH', PATH, { access_token: token, name: 'x' }),
    'by another scheme': cloud.ask(undefined, 'GET', PATH, undefined, { authorization: `Basic ${token}` }),
    'by none': cloud.ask(undefined, 'GET', PATH, undefined, { authorization: token }),
    'behind a comma': cloud.ask(undefined, 'GET', PATH, undefined, { authorization: `Bearer x, Bearer ${token}` }),
    'of a proxy': cloud.ask(undefined, 'GET', PATH, undefined, {
      'proxy-authorization': `Bearer ${token}`,
      'x-forwarded-authorization': token,
    }),
  };
  for (const [what, answer] of Object.entries(tries)) expect((await answer).status, what).toBe(401);
  const [first, second] = ['Bearer x', `Bearer ${token}`];
  const answer = await say(
    cloud.url,
    `GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: ${first}\r\nAuthorization: ${second}\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 40[01] /);
});

test('an account that was closed opens nothing more, and a role that was taken is gone at once', async () => {
  const place = await CloudPlace.make();
  const { id, token } = await place.account('ours', 'auditor');
  const status = async (): Promise<number> => (await place.cloud.ask(token, 'GET', PATH)).status;
  expect(await status()).toBe(200);
  await place.people.takeRole('ours', id, { role: 'auditor' });
  expect(await status()).toBe(403);
  await place.people.giveRole('ours', id, { role: 'auditor' });
  await place.people.change('ours', id, { active: false });
  expect(await status()).toBe(401);
});

/** What is said to raw bytes, until the connection ends. */
async function say(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(bytes);
  return await text(socket);
}
