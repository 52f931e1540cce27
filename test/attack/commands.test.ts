import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { CompactSign, calculateJwkThumbprint, exportJWK, type JWK, UnsecuredJWT } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { ACK_TYPE, type AckClaims } from '../../shared/fleet/ack.ts';
import { COMMAND_TYPE } from '../../shared/fleet/command.ts';
import { DOWN_CHANNELS, UP_CHANNELS } from '../../shared/fleet/topics.ts';
import { newUlid } from '../../shared/ids/ulid.ts';
import { publicKeySchema } from '../../shared/lease/public-key.ts';
import { testKms } from '../helpers/kms.ts';
import { type Deeds, LedgerPlace } from '../helpers/ledger-place.ts';
import type { LinkedBox } from '../helpers/linked-box.ts';
import { renew } from '../helpers/orders.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

async function sign(key: KeyObject, claims: object, header: object): Promise<string> {
  return await new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ alg: 'ES256', ...header }).sign(key);
}

describe('commands that somebody else made', () => {
  let place: LedgerPlace;
  let box: LinkedBox;
  let deeds: Deeds;
  let own: KeyObject;

  beforeEach(async () => {
    const kms = await testKms('software');
    place = await LedgerPlace.make(kms.client, { file: join(await tempFolder(), 'cloud.db') });
    ({ box, deeds } = await place.box());
    await place.transport.connect(box.id);
    own = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  });

  const claimsFor = (device: string, tenant = 'evil'): object => ({
    aud: 'securegate-box',
    sub: device,
    jti: newUlid(place.at),
    iat: Math.floor(place.at / 1000),
    pair: { incarnation: 900, sequence: 1 },
    exp: Math.floor(place.at / 1000) + 3600,
    order: renew(tenant),
  });

  /** Puts messages in and lets a genuine command follow them. */
  async function tryAll(messages: Record<string, Buffer | string>): Promise<void> {
    for (const payload of Object.values(messages)) {
      place.transport.inject({ device: box.id, direction: 'down', channel: 'commands', payload: Buffer.from(payload) });
    }
    const genuine = await place.give(box.id, renew('genuine'));
    await expect.poll(() => place.stateOf(genuine)).toBe('SUCCEEDED');
    expect(deeds.begun).toEqual(['renew genuine']);
    expect(box.journal.highest()).toMatchObject({ incarnation: 1, sequence: 1 });
  }

  /** A command as the KMS would sign it, were it asked by whoever holds the control plane. */
  async function signedByKms(claims: object, header: object = {}): Promise<string> {
    const kid = await calculateJwkThumbprint(await place.kms.call('signingKey', { use: 'commands' }));
    const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
    const message = `${encode({ alg: 'ES256', typ: COMMAND_TYPE, kid, ...header })}.${encode(claims)}`;
    const { signatures } = await place.kms.call('sign', { use: 'commands', messages: [Buffer.from(message)] });
    return `${message}.${Buffer.concat(signatures).toString('base64url')}`;
  }

  test('forged in any way, they are nothing to the box', async () => {
    const commandKey = await place.kms.call('signingKey', { use: 'commands' });
    const kid = await calculateJwkThumbprint(commandKey);
    const jwk = publicKeySchema.parse(await exportJWK(own).then(({ d: _d, ...rest }) => rest as JWK));
    const claims = claimsFor(box.id);
    const secret = Buffer.from(JSON.stringify(commandKey));
    const hmac = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'HS256', typ: COMMAND_TYPE, kid })
      .sign(secret);
    const genuine = await signedByKms(claims);
    const [header = '', body = '', signature = ''] = genuine.split('.');
    const changed = Buffer.from(body, 'base64url').toString().replace('evil', 'vile');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: COMMAND_TYPE, kid })).toString('base64url');
    await tryAll({
      'without a signature': new UnsecuredJWT(claims as Record<string, unknown>).encode(),
      'with alg none': `${none}.${body}.`,
      'with alg none and a signature': `${none}.${body}.${signature}`,
      'by the public key as a secret': hmac,
      'by another key': await sign(own, claims, { typ: COMMAND_TYPE, kid }),
      'by another key, under its own name': await sign(own, claims, { typ: COMMAND_TYPE, kid: await calculateJwkThumbprint(jwk) }),
      'with a key of its own': await sign(own, claims, { typ: COMMAND_TYPE, kid, jwk }),
      'with an address of keys': await sign(own, claims, { typ: COMMAND_TYPE, kid, jku: 'http://127.0.0.1/keys' }),
      'without a key id': await sign(own, claims, { typ: COMMAND_TYPE }),
      'with a path as key id': await sign(own, claims, { typ: COMMAND_TYPE, kid: '../../../../dev/null' }),
      'signed by the box itself': await box.sign(COMMAND_TYPE, claims),
      'with a changed order': `${header}.${Buffer.from(changed).toString('base64url')}.${signature}`,
      'cut off': genuine.slice(0, -20),
      empty: '',
      'not a token': 'renew-lease',
      bytes: randomBytes(500),
    });
  });

  test('signed by the KMS for another use, or another box, they are nothing to this one', async () => {
    const lease = await signedByKms(claimsFor(box.id), { typ: 'securegate-lease+jwt' });
    const typeless = await signedByKms(claimsFor(box.id), { typ: 'JWT' });
    const { box: other, deeds: others } = await place.box();
    await tryAll({
      'of another type': lease,
      'of no type': typeless,
      'for another box': await signedByKms(claimsFor(other.id)),
      'for everybody': await signedByKms({ ...claimsFor(box.id), sub: undefined }),
      'for somebody else': await signedByKms({ ...claimsFor(box.id), aud: 'securegate-cloud' }),
      'without a place': await signedByKms({ ...claimsFor(box.id), pair: undefined }),
      'with a place below the first': await signedByKms({ ...claimsFor(box.id), pair: { incarnation: 0, sequence: 1 } }),
      'with more than there is': await signedByKms({ ...claimsFor(box.id), admin: true }),
      'critical in an unknown way': await signedByKms(claimsFor(box.id), { crit: ['urgent'], urgent: true }),
    });
    expect(others.begun).toEqual([]);
  });

  test('replayed, they are done once; those that are older than what was taken are not done', async () => {
    const first = await place.give(box.id, renew('one'));
    await expect.poll(() => place.stateOf(first)).toBe('SUCCEEDED');
    const late = await signedByKms({ ...claimsFor(box.id), pair: { incarnation: 1, sequence: 1 } });
    const recorded = place.transport.sent.filter(({ channel }) => channel === 'commands');
    for (const message of [...recorded, ...recorded]) place.transport.inject(message);
    place.transport.inject({ device: box.id, direction: 'down', channel: 'commands', payload: Buffer.from(late) });
    const second = await place.give(box.id, renew('two'));
    await expect.poll(() => place.stateOf(second)).toBe('SUCCEEDED');
    expect(deeds.begun).toEqual(['renew one', 'renew two']);
    expect((await place.ledger.receipts.list('acme', { limit: 10 })).items).toHaveLength(2);
  });

  test('too late or unknown, they are refused by a signed word; too early, they are left alone', async () => {
    const id = (n: number): string => newUlid(place.at, () => Buffer.alloc(16, n));
    const refused = async (claims: object, jti: string): Promise<void> => {
      const payload = Buffer.from(await signedByKms({ ...claimsFor(box.id), ...claims, jti }));
      place.transport.inject({ device: box.id, direction: 'down', channel: 'commands', payload });
    };
    await refused({ nbf: Math.floor(place.at / 1000) + 60, pair: { incarnation: 1, sequence: 5 } }, id(1));
    await refused({ exp: Math.floor(place.at / 1000), pair: { incarnation: 1, sequence: 6 } }, id(2));
    await refused({ order: { kind: 'format-disk', body: {} }, pair: { incarnation: 1, sequence: 7 } }, id(3));
    await refused({ order: { kind: 'renew-lease', body: { tenant: '../../etc' } }, pair: { incarnation: 1, sequence: 8 } }, id(4));
    await refused({ order: { kind: 'shred', body: {} }, pair: undefined, exp: undefined }, id(5));
    const told = async () => (await place.ledger.receipts.list('acme', { limit: 10 })).items;
    await expect
      .poll(async () => (await told()).map(({ command, reason }) => [command, reason]).toSorted())
      .toEqual([
        [id(2), 'command_expired'],
        [id(3), 'command_unknown'],
        [id(4), 'command_unknown'],
        [id(5), 'command_unknown'],
      ]);
    expect(deeds.begun).toEqual([]);
  });
});

describe('words that the box did not sign', () => {
  test('move no command, and leave no receipt', async () => {
    const kms = await testKms('software');
    const place = await LedgerPlace.make(kms.client, { file: join(await tempFolder(), 'cloud.db') });
    const [{ box, deeds }, { box: other }] = [await place.box(), await place.box()];
    deeds.gate = new Promise(() => undefined);
    await place.transport.connect(box.id);
    await place.transport.connect(other.id);
    const id = await place.give(box.id, renew('one'));
    await expect.poll(() => place.stateOf(id)).toBe('IN_PROGRESS');
    const claims: AckClaims = { aud: 'securegate-cloud', sub: box.id, iat: 1, command: id, digest: 'x'.repeat(43), state: 'SUCCEEDED' };
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const jwk = publicKeySchema.parse(await exportJWK(stranger).then(({ d: _d, ...rest }) => rest as JWK));
    const tries: [who: string, token: string][] = [
      [box.id, new UnsecuredJWT({ ...claims }).encode()],
      [box.id, await sign(stranger, claims, { typ: ACK_TYPE, jwk })],
      [box.id, await sign(stranger, claims, { typ: ACK_TYPE, jwk: box.publicKey })],
      [box.id, await sign(stranger, claims, { typ: ACK_TYPE })],
      [box.id, await box.sign('JWT', claims)],
      [box.id, await box.sign('securegate-epoch-moved+jwt', claims)],
      [box.id, await box.sign(ACK_TYPE, { ...claims, aud: 'securegate-kms' })],
      [box.id, await box.sign(ACK_TYPE, { ...claims, state: 'CANCELED' })],
      [box.id, await box.sign(ACK_TYPE, { ...claims, sub: other.id })],
      // Another box says it of this one: by its own key, in either name, or by what this box signed.
      [other.id, await other.sign(ACK_TYPE, claims)],
      [other.id, await other.sign(ACK_TYPE, { ...claims, sub: other.id })],
      [other.id, await box.sign(ACK_TYPE, claims)],
      [box.id, await other.sign(ACK_TYPE, claims)],
      // One that is no box.
      [`box_${'a'.repeat(26)}`, await box.sign(ACK_TYPE, claims)],
    ];
    for (const [device, token] of tries) place.transport.inject({ device, direction: 'up', channel: 'acks', payload: Buffer.from(token) });
    await place.transport.untilQuiet();
    await place.transport.connect(other.id);
    await place.give(other.id, renew('two'));
    await expect.poll(async () => (await place.ledger.receipts.list('acme', { device: other.id, limit: 9 })).items.length).toBe(2);
    expect(await place.stateOf(id)).toBe('IN_PROGRESS');
    expect((await place.ledger.receipts.list('acme', { device: box.id, limit: 9 })).items).toEqual([]);
  });

  test('a box that is denied is not heard, and gets nothing', async () => {
    const kms = await testKms('software');
    const place = await LedgerPlace.make(kms.client, { file: join(await tempFolder(), 'cloud.db') });
    const { box, deeds } = await place.box();
    const toBox = (): number => place.transport.sent.filter(({ direction }) => direction === 'down').length;
    await place.transport.connect(box.id);
    await expect.poll(toBox).toBeGreaterThan(0);
    place.transport.cut(box.id);
    const id = await place.give(box.id, renew('one'));
    await expect.poll(() => place.stateOf(id)).toBe('SENT');
    place.known.delete(box.id);
    const before = toBox();
    await place.transport.connect(box.id);
    await expect.poll(() => place.transport.sent.filter(({ channel }) => channel === 'hello').length).toBeGreaterThan(3);
    await place.pass(600_000);
    expect(toBox()).toBe(before);
    expect(deeds.begun).toEqual([]);
    await expect(place.give(box.id, renew('two'))).rejects.toMatchObject({ code: 'device_not_found' });
  });
});

test('whatever comes on whatever channel, box and control plane live on', async () => {
  const kms = await testKms('software');
  const place = await LedgerPlace.make(kms.client, { file: join(await tempFolder(), 'cloud.db') });
  const { box, deeds } = await place.box();
  await place.transport.connect(box.id);
  const big = 2 ** 31 - 1;
  const hello = fc.record({
    session: fc.constantFrom(newUlid(1), newUlid(2), 'x'),
    highest: fc.oneof(
      fc.constant(null),
      fc.record({ incarnation: fc.constantFrom(-1, 0, 1, big, 1e99), sequence: fc.integer(), command: fc.string() }),
    ),
    receipt: fc.oneof(fc.constant(null), fc.string(), fc.constant(newUlid(3))),
    keys: fc.anything(),
  });
  const text = fc.oneof(
    hello.map((one) => JSON.stringify(one)),
    fc.json(),
    fc.string(),
    fc.constant(`{"__proto__":${'['.repeat(5000)}`),
  );
  const payload = fc.oneof(
    text.map((one) => Buffer.from(one)),
    fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  );
  const channel = fc.oneof(
    fc.constantFrom(...UP_CHANNELS).map((name) => ['up', name] as const),
    fc.constantFrom(...DOWN_CHANNELS).map((name) => ['down', name] as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(channel, payload), { minLength: 30, maxLength: 60 }), async (messages) => {
      for (const [[direction, name], bytes] of messages)
        place.transport.inject({ device: box.id, direction, channel: name, payload: bytes });
      await place.transport.untilQuiet();
    }),
    { numRuns: 15 },
  );
  place.transport.inject({ device: box.id, direction: 'up', channel: 'hello', payload: Buffer.alloc(10_000_000, '[') });
  const id = await place.give(box.id, renew('alive'));
  await place.transport.connect(box.id);
  await place.pass(600_000);
  await expect.poll(() => place.stateOf(id)).toBe('SUCCEEDED');
  expect(deeds.done).toEqual(['renew alive']);
});
