import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CompactSign, calculateJwkThumbprint, UnsecuredJWT } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { signForBox } from '../../cloud/fleet/sign-for-box.ts';
import { COMMAND_TYPE } from '../../shared/fleet/command.ts';
import { DESIRED_TYPE, type DesiredClaims } from '../../shared/fleet/desired.ts';
import { newId } from '../../shared/ids/ids.ts';
import { newUlid } from '../../shared/ids/ulid.ts';
import { type ConvergingBox, DesiredPlace } from '../helpers/desired-place.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const PATIENTLY = { timeout: 20_000, interval: 20 };
const POLICY = { sightingsDays: 30, unmatchedTtlMs: 10_000, matchThreshold: null };
const DOOR = { slug: 'door', title: null, url: 'rtsp://10.0.0.1/1', fps: 5, tiles: null, credential: null };

let place: DesiredPlace;
let box: ConvergingBox;

beforeEach(async () => {
  place = await DesiredPlace.make({ file: join(await tempFolder(), 'cloud.db') });
  box = await place.box('hall');
  await box.connect();
  await expect.poll(() => box.model.tenants, PATIENTLY).toMatchObject([{ id: 'hall' }]);
});

/** A desired state that would close the tenant of the box and open another one. */
const claimsFor = (device: string, changes: Partial<DesiredClaims> = {}): DesiredClaims => ({
  ...{ aud: 'securegate-box', sub: device, jti: newUlid(place.at), iat: 1, pair: { incarnation: 900, sequence: 1 }, org: 'acme' },
  state: { tenants: [{ id: 'evil', policy: POLICY, cameras: [] }], removedCameras: [] },
  ...changes,
});

async function sign(key: KeyObject, claims: object, header: object): Promise<string> {
  return await new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ alg: 'ES256', ...header }).sign(key);
}

const signedByKms = (claims: object, type = DESIRED_TYPE): Promise<string> => signForBox(place.org.kms.client, type, claims);

/** Puts messages in and lets a genuine change follow them. */
async function tryAll(messages: Record<string, Buffer | string>, channel: 'desired' | 'commands' = 'desired'): Promise<void> {
  const before = box.journal.find();
  for (const [name, payload] of Object.entries(messages)) {
    place.transport.inject({ device: box.id, direction: 'down', channel, payload: Buffer.from(payload) });
    await place.transport.untilQuiet();
    expect(box.journal.find(), name).toBe(before);
  }
  await place.states.cameras.create('acme', 'hall', newId('record'), { ...DOOR, device: box.id });
  await expect
    .poll(() => box.model.tenants, PATIENTLY)
    .toMatchObject([{ id: 'hall', dropped: false, cameras: [{ settings: { slug: 'door' } }] }]);
  expect(box.model.tenants).toHaveLength(1);
}

describe('a desired state that somebody else made', () => {
  test('forged in any way, it is nothing to the box', async () => {
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const commandKey = await place.org.kms.client.call('signingKey', { use: 'commands' });
    const kid = await calculateJwkThumbprint(commandKey);
    const claims = claimsFor(box.id);
    const secret = Buffer.from(JSON.stringify(commandKey));
    const genuine = await signedByKms(claims);
    const [header = '', body = '', signature = ''] = genuine.split('.');
    const changed = Buffer.from(Buffer.from(body, 'base64url').toString().replace('evil', 'vile')).toString('base64url');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: DESIRED_TYPE, kid })).toString('base64url');
    await tryAll({
      'without a signature': new UnsecuredJWT({ ...claims }).encode(),
      'with alg none and a signature': `${none}.${body}.${signature}`,
      'by the public key as a secret': await new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'HS256', typ: DESIRED_TYPE, kid })
        .sign(secret),
      'by another key': await sign(own, claims, { typ: DESIRED_TYPE, kid }),
      'without a key id': await sign(own, claims, { typ: DESIRED_TYPE }),
      'with a changed tenant': `${header}.${changed}.${signature}`,
      'cut off': genuine.slice(0, -20),
      empty: '',
      bytes: randomBytes(500),
    });
  });

  test('signed by the KMS for another use, another box or another org, it is nothing to this one', async () => {
    const other = await place.box();
    const { state } = claimsFor(box.id);
    const camera = { id: newId('record'), ...DOOR };
    const removedCameras = Array.from({ length: 1000 }, () => ({ tenant: 'hall', id: newId('record') }));
    const withCamera = (fields: object): object => ({
      ...claimsFor(box.id),
      state: { tenants: [{ id: 'evil', policy: POLICY, cameras: [{ ...camera, ...fields }] }], removedCameras: [] },
    });
    await tryAll({
      'as a command': await signedByKms(claimsFor(box.id), COMMAND_TYPE),
      'of no type': await signedByKms(claimsFor(box.id), 'JWT'),
      'for another box': await signedByKms(claimsFor(other.id)),
      'for another org': await signedByKms(claimsFor(box.id, { org: 'other' })),
      'for everybody': await signedByKms({ ...claimsFor(box.id), sub: undefined }),
      'for somebody else': await signedByKms({ ...claimsFor(box.id), aud: 'securegate-cloud' }),
      'without a place': await signedByKms({ ...claimsFor(box.id), pair: undefined }),
      'with a place below the first': await signedByKms({ ...claimsFor(box.id), pair: { incarnation: 0, sequence: 1 } }),
      'with more than there is': await signedByKms({ ...claimsFor(box.id), state: { ...state, erase: ['hall'] } }),
      'with a path for a tenant': await signedByKms({
        ...claimsFor(box.id),
        state: { ...state, tenants: [{ id: '../hall', policy: POLICY, cameras: [] }] },
      }),
      'with a file for a camera': await signedByKms(withCamera({ url: '/etc/shadow' })),
      'with a password in it': await signedByKms(withCamera({ url: 'rtsp://user:pass@10.0.0.1/1' })),
      'with a path for a credential': await signedByKms(withCamera({ credential: '../north.key' })),
      'with a path for models': await signedByKms({ ...claimsFor(box.id), state: { ...state, models: '../../etc' } }),
      'with a file for models': await signedByKms({ ...claimsFor(box.id), state: { ...state, models: '/tmp/evil.onnx' } }),
      'with models and where to get them': await signedByKms({
        ...claimsFor(box.id),
        state: { ...state, models: { set: 'evil', url: 'https://evil.example' } },
      }),
      'with a licence that is accepted': await signedByKms({ ...claimsFor(box.id), state: { ...state, acceptLicence: true } }),
      'that is too long': await signedByKms({ ...claimsFor(box.id), state: { ...state, removedCameras } }),
    });
    expect(other.model.tenants).toEqual([]);
  });

  test('replayed, or older than what was taken, it is not done, also after a restart', async () => {
    const first = place.transport.sent.filter(({ channel }) => channel === 'desired').at(-1);
    await place.org.kms.client.call('endAssignment', { org: 'acme', tenant: 'hall', device: box.id });
    await place.states.wake(box.id);
    await expect.poll(() => box.model.tenants, PATIENTLY).toMatchObject([{ id: 'hall', dropped: true }]);
    const taken = box.journal.find();
    const late = await signedByKms(claimsFor(box.id, { pair: { incarnation: 1, sequence: 1 } }));
    const same = await signedByKms(claimsFor(box.id, { pair: { incarnation: 1, sequence: 2 } }));
    const replay = async (): Promise<void> => {
      for (const payload of [first?.payload ?? Buffer.alloc(0), Buffer.from(late), Buffer.from(same)]) {
        place.transport.inject({ device: box.id, direction: 'down', channel: 'desired', payload });
      }
      await place.transport.untilQuiet();
    };
    await replay();
    await box.crash();
    await box.connect();
    await replay();
    expect(box.journal.find()).toBe(taken);
    expect(box.model.tenants).toMatchObject([{ id: 'hall', dropped: true }]);
  });
});

describe('a report that the box did not make so', () => {
  const report = (device: string, changes: object = {}, state: object = {}): { device: string; payload: Buffer } => ({
    device,
    payload: Buffer.from(
      JSON.stringify({
        report: newUlid(place.at),
        state: { version: null, tenants: [], cameras: [], modelSet: 'embedded', boxVersion: '9', ...state },
        ...changes,
      }),
    ),
  });

  test('what does not hold is dropped, one that is no box is not heard, and none says anything of another', async () => {
    const other = await place.box('hall');
    const stranger = `box_${'a'.repeat(26)}`;
    const version = { id: newUlid(place.at), incarnation: 2 ** 31 - 1, sequence: 1 };
    await place.transport.untilQuiet();
    const before = await place.store.db.selectFrom('box_states').select(['device', 'reported']).execute();
    const tries = [
      report(stranger),
      report(box.id, {}, { version }),
      report(box.id, {}, { tenants: [{ id: '../x', state: 'applied', reason: null }] }),
      report(
        box.id,
        {},
        { cameras: Array.from({ length: 500 }, () => ({ tenant: 'hall', id: newId('record'), state: 'applied', reason: null })) },
      ),
      report(box.id, {}, { names: ['Ada'] }),
      report(box.id, { report: 'x' }),
      report(box.id, {}, { modelSet: 'x'.repeat(70_000) }),
      report(box.id, {}, { models: { state: 'applied', reason: null, files: [{ id: 'x', sha256: '../x' }] } }),
      report(box.id, {}, { models: { state: 'closed', reason: null, files: [] } }),
      { device: box.id, payload: randomBytes(100) },
    ];
    for (const { device, payload } of tries) place.transport.inject({ device, direction: 'up', channel: 'reported', payload });
    await place.transport.untilQuiet();
    expect(await place.store.db.selectFrom('box_states').select(['device', 'reported']).execute()).toEqual(before);
    expect(await place.states.get('acme', other.id)).toMatchObject({ desired: null });
    expect(await place.states.get('other', box.id)).toMatchObject({ desired: null, reported: null });
    expect(place.transport.failures).toEqual([]);
  });

  test('a box that claims a version that was never made gets the one that counts', async () => {
    const version = { id: newUlid(place.at + 1), incarnation: 5, sequence: 9 };
    place.transport.inject({ ...report(box.id, {}, { version }), direction: 'up', channel: 'reported' });
    await expect
      .poll(async () => (await place.states.get('acme', box.id)).reported?.state.version, PATIENTLY)
      .toMatchObject({ incarnation: 6, sequence: 1 });
    expect(box.model.tenants).toMatchObject([{ id: 'hall', dropped: false }]);
  });
});
